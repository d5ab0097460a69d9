//! Enums whose variants have the same name in files, on the command line and in messages.

/// Defines an enum of choices and everything derived from their names: `ALL`, `name`, [`Display`](std::fmt::Display),
/// [`FromStr`](std::str::FromStr), serde, and clap's values behind the feature `cli`.
///
/// A last variant after `except` is not a value on the command line. The text after `=` is the name.
macro_rules! named {
    ($(#[$meta:meta])* $vis:vis enum $Type:ident { $($(#[$about:meta])* $Variant:ident = $name:literal),+ $(,)? } $(except $Hidden:ident)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $Type { $($(#[$about])* #[doc = concat!("\n\nIn text: `", $name, "`.")] $Variant),+ }

        #[doc(hidden)]
        impl $Type {
            /// Every variant, in the order of their definition.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$Variant),+];

            /// The name in files, on the command line and in messages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name),+ }
            }
        }

        impl std::fmt::Display for $Type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $Type {
            type Err = $crate::Error;

            fn from_str(text: &str) -> $crate::Result<Self> {
                match text {
                    $($name => Ok(Self::$Variant),)+
                    _ => Err($crate::Error::UnknownName { given: text.to_owned(), known: vec![$($name),+] }),
                }
            }
        }

        $crate::named::serde_as_text!($Type);

        #[cfg(feature = "cli")]
        impl clap::ValueEnum for $Type {
            fn value_variants<'a>() -> &'a [Self] {
                const HIDDEN: usize = <[&str]>::len(&[$(stringify!($Hidden))?]);
                &Self::ALL[..Self::ALL.len() - HIDDEN]
            }

            fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
                Some(clap::builder::PossibleValue::new(self.name()))
            }
        }
    };
}

/// Serialises a type as the text of its [`Display`](std::fmt::Display), and reads it by its [`FromStr`](std::str::FromStr).
macro_rules! serde_as_text {
    ($Type:ty) => {
        impl serde::Serialize for $Type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $Type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use {named, serde_as_text};

#[cfg(test)]
mod tests {
    use crate::network::Activation;

    /// One enum represents all enums of the macro.
    #[test]
    fn a_variant_has_one_name_everywhere() {
        for activation in Activation::ALL {
            assert_eq!(activation.to_string(), activation.name());
            assert_eq!(activation.name().parse::<Activation>().unwrap(), activation);
            assert_eq!(serde_json::to_value(activation).unwrap(), serde_json::json!(activation.name()));
        }
        let message = "relux".parse::<Activation>().unwrap_err().to_string();
        assert_eq!(message, "\"relux\" is not one of sigmoid, relu, tanh, identity");
    }

    #[cfg(feature = "cli")]
    #[test]
    fn the_command_line_offers_the_same_names_but_those_excepted() {
        use clap::ValueEnum;

        use crate::model::Arch;

        for activation in Activation::ALL {
            assert_eq!(activation.to_possible_value().unwrap().get_name(), activation.name());
        }
        assert_eq!(Activation::value_variants(), Activation::ALL);
        assert!(Arch::ALL.contains(&Arch::Custom) && !Arch::value_variants().contains(&Arch::Custom));
    }
}
