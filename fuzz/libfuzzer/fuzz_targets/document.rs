#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    handsoff_fuzz::document(data);
});
