//! `template.yaml`, of what all detectors have and of each one's own.

use std::path::Path;

use minijinja::{Environment, Value, context};

use crate::configure::configure;
use crate::detectors::detectors;
use crate::error::Error;
use crate::files::{names, read};
use crate::made::Made;

/// Where that stands what all detectors have.
const SHARED: &str = "shared/template";

/// The file with which it begins.
const FIRST: &str = "template.yaml.jinja";

/// Makes the template.
pub fn make(root: &Path) -> Result<Made, Error> {
    let mut environment = Environment::new();
    configure(&mut environment)?;
    for name in names(&root.join(SHARED))? {
        if Path::new(&name).extension().is_none_or(|it| it != "jinja") {
            continue;
        }
        let place = format!("{SHARED}/{name}");
        environment.add_template_owned(place, read(&root.join(SHARED).join(&name))?)?;
    }
    // A file includes another by its name alone.
    environment.set_path_join_callback(|name, _| format!("{SHARED}/{name}").into());
    let detectors = detectors(root)?;
    let detectors: Vec<Value> = detectors.into_iter().map(|it| Value::from_dyn_object(it.part)).collect();
    let first = environment.get_template(&format!("{SHARED}/{FIRST}"))?;
    Ok(Made::new("template.yaml", first.render(context!(detectors))?))
}
