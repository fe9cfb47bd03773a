//! Makes error texts safe to log: those of the API, and those of TLS and proxies.
//!
//! A text of the API may contain a user's name or a part of the credential, in any form. So only words of a list are
//! shown; these are enough to know what is wrong.

/// Maximum length of a text that is read, in bytes.
const MAX_READ: usize = 4096;

/// Maximum length of a text that is shown, in characters.
const MAX_SHOWN: usize = 200;

/// Longest number that is shown: ids, limits and sizes.
const MAX_DIGITS: usize = 9;

/// The words that are shown.
const WORDS: &str = "
    a about above accept accepted access account accounts action activate activated active add added admin admins after
    again all allow allowed already also an and another any api apikey are argument as ask at attempt authentication
    authorization authorized available bad be because been before below between blocked body busy but by call called
    calls can cannot change check client closed compute conflict connect connection contact contract could count create
    created credential credentials current data database dataset datasets date day days deactivated deleted denied
    deprecated did disabled do does doesn don down due duplicate e each either email empty enable enabled endpoint
    enterprise entitlement error errors exceed exceeded exception exist exists expected expire expired expires expiry
    failed failure false feature field file files find for forbidden format found free from full gateway get go gone
    gpu group had has hasn have header hour hours http https id ids if in inactive info information insufficient
    integer internal into invalid is isn it item items its job jobs json jwt key keys label later least length less
    license limit limited limits list locked log logged login long longer mail maintenance malformed many match maximum
    may maybe member members message metadata method metrics minute minutes missing more most must name need needed
    needs new no none not nothing null number object of off old on once one only operation or order organization
    organizations other out over own owner page parameter parse part password path pending per perform permission
    permissions permitted plan please portal possible present private privilege privileges problem process profile
    project projects protected provide provided public query queue quota rate reach reached read reason recommended
    refresh refused rejected remove removed renew request requested requests require required requires reset resource
    response restricted result retry revoked right role roles s same scope second seconds seem server service session
    set should sign signature size some something sorry state status still stop storage subscription such support
    supported suspended system t teapot temporarily that the their them then there these they this those time timed
    timeout to token tokens too total trial tried try type unable unauthenticated unauthorized unavailable under
    unexpected unknown unsupported until update upgrade url usage use used user users uses valid value version via was
    way we welcome were what when where which while white whitelabel whitelabels who will with within without wrong you your
";

/// Returns the known words of an error text of the API; others are replaced by a mark.
pub(super) fn known_words(text: &str, credential: &str) -> String {
    let text = &text[..text.floor_char_boundary(MAX_READ)];
    let mut shown: Vec<&str> = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let word = match word {
            _ if !credential.is_empty() && word.contains(credential) => "[credential]",
            _ if word.contains('@') => "[e-mail]",
            _ if is_known(word, credential)
                && !(is_piece(word) && shown.last().is_some_and(|last| is_piece(last))) =>
            {
                word
            }
            _ => "[...]",
        };
        // One mark for several words in a row.
        if !(word.starts_with('[') && shown.last() == Some(&word)) {
            shown.push(word);
        }
    }
    shown.join(" ").chars().take(MAX_SHOWN).collect()
}

/// Returns true for what may be a piece of something that was split: a mark, a number, a letter.
fn is_piece(word: &str) -> bool {
    word.len() == 1 || word.starts_with('[') || word.contains(|c: char| c.is_ascii_digit())
}

fn is_known(word: &str, credential: &str) -> bool {
    let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
    // Other letters are parts of words, as in "e-mail" and "don't".
    if word.len() == 1 && word.contains(|c: char| c.is_ascii_alphabetic() && !c.eq_ignore_ascii_case(&'a')) {
        return false;
    }
    let is_number = |part: &str| {
        let is_short = part.len() <= MAX_DIGITS && part.bytes().all(|byte| byte.is_ascii_digit());
        is_short && (part.len() < 3 || !credential.contains(part))
    };
    let is_word = |part: &str| WORDS.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(part));
    let mut parts = word.split(|c: char| c.is_ascii_punctuation()).filter(|part| !part.is_empty()).peekable();
    parts.peek().is_some() && parts.all(|part| is_number(part) || is_word(part))
}

/// Cuts a text of TLS, a proxy or the system, which may contain what the other side sent, to printable ASCII.
pub(super) fn printable(text: &str) -> String {
    let text = text.chars().take(MAX_SHOWN).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' });
    crate::config::redact(&text.collect::<String>())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_key_a_name_and_an_address_are_not_shown_in_any_form() {
        let (key, percent) = ("ei_canary0123456789abcdef", |text: &str| {
            text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat()
        });
        let (address, name) = ("jan.canary@example.com", "Jan Canary");
        for form in [
            key.to_owned(),
            key.to_uppercase(),
            format!("{}...{}", &key[..12], &key[20..]),
            format!("{}***", &key[..9]),
            percent(key),
            STANDARD.encode(key),
            format!("{}\n{} {}", &key[..10], &key[10..14], &key[14..]),
            key.chars().map(String::from).collect::<Vec<_>>().join(" "),
            address.to_owned(),
            address.to_uppercase(),
            percent(address),
            address.replace('@', "%40"),
            STANDARD.encode(address),
            name.to_owned(),
            name.to_uppercase(),
            name.replace(' ', "%20"),
            format!("\u{202e}{name}\u{200b}\u{1b}[31m"),
            format!("\"{name}\""),
        ] {
            let shown = known_words(&format!("Invalid API key {form} of the user {form}"), key);
            let mark =
                ["[credential]", "[e-mail]", "[...]"].into_iter().find(|mark| shown.ends_with(mark)).unwrap();
            assert_eq!(shown, format!("Invalid API key {mark} of the user {mark}"), "{form}");
            assert!(shown.is_ascii());
        }
    }

    #[test]
    fn a_text_is_cut_before_it_is_read() {
        let long = format!("{}denied", "access \u{202e}ü ".repeat(10_000_000));
        assert_eq!(known_words(&long, "").chars().count(), MAX_SHOWN);
        assert_eq!(printable(&"\u{202e}ü\u{7}".repeat(30_000)), "?".repeat(MAX_SHOWN));
    }
}
