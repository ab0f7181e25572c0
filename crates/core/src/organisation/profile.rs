//! What an organisation says of itself (`domain.md` §3.1).

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rejection::{Fault, Rejection};
use crate::text::check_name;
use crate::uscc::WellFormedUscc;

names! {
    /// What kind of organisation it is (`domain.md` §1).
    pub enum OrganisationKind {
        /// 社会团体; the code begins with 51.
        Association = "association" "社会团体",
        /// 社会服务机构; the code begins with 52.
        Service = "service" "社会服务机构",
        /// 基金会; the code begins with 53.
        Foundation = "foundation" "基金会",
        /// A filed community group without legal person and code.
        FiledGroup = "filed_group" "备案社区社会组织",
        /// Anything else.
        Other = "other" "其他",
    }
}

/// What an organisation says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name, as registered.
    #[schemars(length(max = 200))]
    pub name: String,
    /// What kind it is; other, unless given.
    #[serde(default)]
    pub organisation_kind: Option<OrganisationKind>,
    /// Its unified social credit code (GB 32100-2015); filed groups have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uscc: Option<String>,
    /// When it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub registered_on: Option<Date>,
    /// The person who signs for it.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub legal_representative: String,
    /// How the bureau reaches it.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub phone: String,
    /// Its office's mail address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 254))]
    pub email: String,
    /// Its office.
    #[serde(default)]
    #[schemars(length(max = 300))]
    pub address: String,
    /// The names of the fields that were made up for a demonstration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synthetic: Vec<String>,
}

/// Refuses a profile without a name, or with a code of the wrong shape.
pub(super) fn check(profile: &Profile) -> Result<(), Rejection> {
    let mut faults = Vec::new();
    if profile.name.trim().is_empty() {
        faults.push(Fault::new(
            "/profile/name",
            "empty",
            "Give the registered name.",
            "请填写登记名称。",
        ));
    }
    if let Err(errors) = check_name(&profile.name, 200) {
        faults.extend(errors.into_iter().map(|error| {
            Fault::new(
                "/profile/name",
                "name",
                error.to_string(),
                format!("名称有误:{error}"),
            )
        }));
    }
    // A code of the wrong shape is an error; one that only fails its check digits can be verified
    // by staff, because such codes are in real use (`domain.md` §3.2).
    if let Some(code) = &profile.uscc
        && let Err(error) = WellFormedUscc::parse(code)
    {
        faults.push(Fault::new(
            "/profile/uscc",
            "uscc",
            error.to_string(),
            format!("统一社会信用代码有误:{error}"),
        ));
    }
    Rejection::unless_empty(faults)
}
