//! A macro that makes a group of settings from the list of its fields.

/// Defines a group of settings: a struct of optional fields, and code derived from its fields.
macro_rules! group {
    (
        $(#[doc = $about:tt])*
        $heading:literal pub struct $Group:ident in $place:ident {
            $($(#[doc = $doc:tt])* #[arg($($arg:tt)*)] $(#[serde($($serde:tt)*)])? $field:ident: ($($Type:tt)+) => $Setting:ident,)+
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", default)]
        #[cfg_attr(feature = "cli", derive(clap::Args), command(next_help_heading = $heading))]
        pub struct $Group {
            $(
                $(#[doc = $doc])*
                #[serde(skip_serializing_if = "Option::is_none" $(, $($serde)*)?)]
                #[cfg_attr(feature = "cli", arg(long, $($arg)*))]
                pub $field: Option<$($Type)+>,
            )+
        }

        impl $Group {
            /// Every setting of the group.
            pub(super) const SETTINGS: &'static [Setting] = &[$(Setting::$Setting),+];

            /// The first line of what is said of each.
            pub(super) const ABOUT: &'static [(Setting, &'static str)] = &[$((Setting::$Setting, [$($doc),+][0])),+];

            /// Those that have a value.
            pub(crate) fn given(&self) -> impl Iterator<Item = Setting> {
                [$(self.$field.is_some().then_some(Setting::$Setting)),+].into_iter().flatten()
            }

            /// Removes a value; settings of other groups are ignored.
            pub(super) fn remove(&mut self, setting: Setting) {
                match setting {
                    $(Setting::$Setting => self.$field = None,)+
                    _ => {}
                }
            }

            /// Fills its unset values from the group below it.
            pub(super) fn fill_from(&mut self, below: Self) {
                $(if self.$field.is_none() {
                    self.$field = below.$field;
                })+
            }
        }

        impl Settings {
            $(
                #[doc = concat!("With `", stringify!($field), "`.")]
                #[must_use]
                #[allow(dead_code, reason = "one for each field, not all of which are set in code")]
                pub(crate) fn $field(mut self, value: impl Into<$($Type)+>) -> Self {
                    self.$place.$field = Some(value.into());
                    self
                }
            )+
        }
    };
}

pub(super) use group;
