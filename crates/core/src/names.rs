//! One stable name per variant, so that journal, API, database and docs cannot drift apart.

/// A field-less enum whose variants have stable names.
pub trait Names:
    Copy + Eq + Ord + std::fmt::Debug + std::fmt::Display + Send + Sync + 'static
{
    /// Every variant, in declaration order.
    const ALL: &'static [Self];

    /// The stable name, as stored and as sent.
    fn name(self) -> &'static str;

    /// The name in Chinese, as shown to people.
    fn zh(self) -> &'static str;

    /// One sentence that says what it is, in English.
    fn summary(self) -> &'static str;

    /// The variant with this stable name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }
}

/// Declares a field-less enum that implements [`Names`], with serde and JSON Schema by those names.
macro_rules! names {
    ($(#[$meta:meta])* pub enum $Enum:ident { $($(#[doc = $doc:literal])+ $Variant:ident = $name:literal $zh:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $Enum { $($(#[doc = $doc])+ #[serde(rename = $name)] $Variant,)+ }

        impl $crate::names::Names for $Enum {
            const ALL: &'static [Self] = &[$(Self::$Variant),+];

            fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name),+ }
            }

            fn zh(self) -> &'static str {
                match self { $(Self::$Variant => $zh),+ }
            }

            fn summary(self) -> &'static str {
                match self { $(Self::$Variant => concat!($($doc),+).trim_ascii_start()),+ }
            }
        }

        impl std::fmt::Display for $Enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::names::Names::name(*self))
            }
        }
    };
}

/// Declares the verbs of one aggregate and what each carries: `Verb`, its field-less name, and
/// `Command`, externally tagged by that name (`{"submit": {}}`).
macro_rules! commands {
    ($($(#[doc = $doc:literal])+ $Variant:ident = $name:literal $zh:literal { $($(#[$fmeta:meta])* $field:ident: $Type:ty,)* })+) => {
        names! {
            /// What can be asked of this kind of record.
            pub enum Verb { $($(#[doc = $doc])+ $Variant = $name $zh,)+ }
        }

        /// A verb with what only the asker can know.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub enum Command {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $Variant { $($(#[$fmeta])* $field: $Type,)* },)+
        }

        impl $crate::aggregate::Verbal for Command {
            type Verb = Verb;

            fn verb(&self) -> Verb {
                match self { $(Self::$Variant { .. } => Verb::$Variant),+ }
            }
        }
    };
}
