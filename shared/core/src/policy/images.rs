//! `[images]`: which machine images may be launched.

use super::{Glob, Line, PatternError};

/// `[images]`: which machine images may be launched.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields, transform = super::schema_parts::nothing))]
pub struct Images {
    /// Where it stands.
    #[cfg_attr(test, schemars(skip))]
    pub line: Line,
    /// The images that may be launched. Empty: none.
    pub approved: Vec<ImagePattern>,
}

impl Images {
    /// Whether an image may be launched, as a request or an answer names it: by its ID, or by a parameter of Systems Manager
    /// (`resolve:ssm:NAME`, "Using public parameters" and "Use a Systems Manager parameter to find an AMI", EC2 user guide).
    pub fn approves(&self, image: &str) -> bool {
        self.approved.iter().any(|pattern| pattern.matches(image))
    }
}

/// An entry of `approved`.
#[derive(Clone, Debug)]
pub struct ImagePattern {
    written: String,
    /// Of what a record has.
    glob: Glob,
}

/// How a request names an image by a parameter.
const RESOLVE: &str = "resolve:";

impl ImagePattern {
    /// Reads how the policy writes it: `ami-0123456789abcdef0`, `ami-0123*` or `ssm:/aws/service/…`.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn parse(written: &str) -> Result<Self, PatternError> {
        let image = match written.split_once([':', '-']) {
            Some(("ami", _)) if written.starts_with("ami-") => written.to_owned(),
            Some(("ssm", name)) if written.starts_with("ssm:") && !name.is_empty() => {
                format!("{RESOLVE}{written}")
            }
            _ => return Err(PatternError::NoImage),
        };
        Ok(Self { written: written.to_owned(), glob: Glob::new(&image) })
    }

    /// As the policy writes it.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    fn matches(&self, image: &str) -> bool {
        self.glob.matches(image)
    }

    /// Whether no image can be meant: an ID is `ami-` and 8 or 17 hexadecimal digits, in lower case ("Find an AMI that meets the
    /// requirements for your EC2 instance"; "Resource IDs", EC2 user guide).
    pub fn is_of_none(&self) -> bool {
        let Some(digits) = self.written.strip_prefix("ami-") else { return false };
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let fixed = digits.bytes().filter(|byte| *byte != b'*').count();
        let fits = if digits.contains('*') { fixed <= 17 } else { fixed == 8 || fixed == 17 };
        !fits || !digits.bytes().all(|byte| byte == b'*' || is_digit(byte))
    }

    /// Whether every image is meant, or every parameter, which anyone who may write a parameter can choose the image of.
    pub fn is_of_all(&self) -> bool {
        let rest = self.written.strip_prefix("ami-").or_else(|| self.written.strip_prefix("ssm:"));
        rest.is_some_and(|rest| rest.bytes().all(|byte| byte == b'*' || byte == b'/') && rest.contains('*'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(written: &str) -> ImagePattern {
        ImagePattern::parse(written).unwrap()
    }

    #[test]
    fn an_image_is_approved_by_its_id_or_by_its_parameter() {
        let images = Images {
            line: Line::new("p:1 [images]"),
            approved: ["ami-0aaaabbbbccccdddd", "ami-0e*", "ssm:/aws/service/ami-amazon-linux-latest/*"]
                .map(pattern)
                .to_vec(),
        };
        let linux = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
        for image in ["ami-0aaaabbbbccccdddd", "ami-0e12345678abcdef0", linux] {
            assert!(images.approves(image), "{image}");
        }
        let others = [
            "ami-0aaaabbbbccccddde",
            "ami-0aaaabbbbccccdddd0",
            "xami-0e12345678abcdef0",
            "resolve:ssm:/golden/aws/service/ami-amazon-linux-latest/x",
            "ssm:/aws/service/ami-amazon-linux-latest/x",
            "",
        ];
        for image in others {
            assert!(!images.approves(image), "{image}");
        }
    }

    #[test]
    fn what_no_image_is_called_is_a_mistake_and_what_none_can_be_is_of_none() {
        for written in
            ["", "*", "ami", "ami:0aaaabbbbccccdddd", "AMI-0a", "ssm:", "ssm-x", "resolve:ssm:/x", "x"]
        {
            assert_eq!(ImagePattern::parse(written).unwrap_err(), PatternError::NoImage, "{written}");
        }
        for written in
            ["ami-", "ami-0AAAABBBBCCCCDDDD", "ami-0aaaabbbbccccddd", "ami-0g*", "ami-0123456789abcdef01*"]
        {
            assert!(pattern(written).is_of_none(), "{written}");
        }
        for written in ["ami-0aaaabbbbccccdddd", "ami-12345678", "ami-*", "ami-0a*d", "ssm:/golden/ami"] {
            assert!(!pattern(written).is_of_none(), "{written}");
        }
    }
}
