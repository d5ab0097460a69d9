//! Names of columns and words as they can be typed.

use crate::text::shell_word;

/// A list for a setting: items with commas or quotes are quoted as in CSV, and the list is quoted for the shell.
pub(crate) fn typed<Item: AsRef<str>>(items: impl IntoIterator<Item = Item>) -> String {
    let items = items.into_iter().map(|item| list_item(item.as_ref()));
    shell_word(&items.collect::<Vec<_>>().join(","))
}

/// An item of a list, quoted as in CSV if it has commas or quotes.
pub(crate) fn list_item(item: &str) -> String {
    if item.contains([',', '"']) { format!("\"{}\"", item.replace('"', "\"\"")) } else { item.to_owned() }
}

/// The items of a list that was split at its commas, with quoted ones as a whole and without their quotes.
#[cfg(feature = "train")]
pub(crate) fn unquoted<'a>(pieces: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut is_open = false;
    for piece in pieces {
        match items.last_mut().filter(|_| is_open) {
            Some(open) => {
                open.push(',');
                open.push_str(piece);
            }
            None => items.push(piece.to_owned()),
        }
        let item = items.last().map_or("", String::as_str);
        is_open = item.trim_start().starts_with('"') && item.matches('"').count() % 2 == 1;
    }
    items.iter().map(|item| without_quotes(item).to_owned()).collect()
}

/// A text in quotes without them, as in CSV.
#[cfg(feature = "train")]
pub(crate) fn without_quotes(item: &str) -> String {
    let inner = item.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| item.to_owned(), |inner| inner.replace("\"\"", "\""))
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_typed_and_are_read_back() {
        assert_eq!(typed(["Full Name", "age"]), "'Full Name,age'");
        assert_eq!(typed(["height, cm", "a \"b\""]), r#"'"height, cm","a ""b"""'"#);
        assert_eq!(typed(["it's"]), r"'it'\''s'");
        assert_eq!(typed(["plain", "Größe"]), "plain,Größe");
        for names in [&["height, cm", "age", "a \"b\",c"][..], &["x"], &["a", "b c"]] {
            let text = typed(names);
            let text = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(&text);
            assert_eq!(unquoted(text.split(',')), names);
        }
    }
}
