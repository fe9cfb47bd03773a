//! The proxy of API calls, from an option or from the environment.

use std::env;

use hyper_util::client::proxy::matcher::Matcher;
use url::{Host, Url};

use super::{ApiOptions, OptionError};

const EXPECTED: &str = "expected an http or https URL, e.g. http://proxy.example:3128 (SOCKS is not supported)";

/// Variables that name a proxy, those that come first take precedence.
const HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Returns the URL of the proxy of calls to the API, with its credential.
///
/// # Errors
/// If the variable that names it does not hold the URL of a supported proxy: calling the API directly would ignore what
/// the administrator requires. The text does not contain the value, which may contain a password.
pub fn proxy(options: &ApiOptions) -> Result<Option<Url>, OptionError> {
    let ApiOptions { url, proxy_url, tls_server_name, .. } = options;
    let proxy = match proxy_url {
        Some(_) if tls_server_name.is_some() => {
            let what = "not possible with the URL of a proxy, which looks names up itself";
            return Err(OptionError::about("api.tls-server-name", what));
        }
        Some(proxy) => Some(parse(proxy.as_str()).map_err(|error| OptionError::about("api.proxy-url", error))?),
        // A gateway and a server on this machine are not behind the proxy of the environment.
        None if tls_server_name.is_some() || is_loopback(url) => None,
        None => of_environment(url)?,
    };
    // reqwest verifies the certificate for the address in brackets, which rustls does not accept as a name.
    if proxy.is_some() && url.scheme() == "https" && matches!(url.host(), Some(Host::Ipv6(_))) {
        let direct = match proxy_url {
            Some(_) => "leave the proxy out",
            None => "add the address to NO_PROXY",
        };
        let what = format!("not possible with an IPv6 address and a proxy: use a host name, or {direct}");
        return Err(OptionError::about("api.url", what));
    }
    Ok(proxy)
}

fn of_environment(url: &Url) -> Result<Option<Url>, String> {
    let variables = if url.scheme() == "https" { HTTPS } else { HTTP };
    let Some((name, value)) = first_set(&variables)? else { return Ok(None) };
    let proxy = parse(&value).map_err(|error| format!("{name}: {error}"))?;
    let exceptions = first_set(&EXCEPTIONS)?;
    if let Some((name, _)) = exceptions.as_ref().filter(|(_, value)| value.contains(['"', '\''])) {
        return Err(format!("{name}: has quotes: remove them"));
    }
    Ok(Some(proxy).filter(|_| !exceptions.is_some_and(|(_, list)| excepts(&list, url))))
}

/// Returns the first variable that is not empty.
fn first_set(names: &[&'static str]) -> Result<Option<(&'static str, String)>, String> {
    let set = names.iter().filter_map(|name| env::var_os(name).map(|value| (*name, value)));
    let Some((name, value)) = set.into_iter().find(|(_, value)| !value.is_empty()) else { return Ok(None) };
    let value = value.into_string().map_err(|_| format!("{name}: is not valid UTF-8"))?;
    Ok(Some((name, value)))
}

/// Parses the URL of a proxy, whose scheme may be missing, as in curl and Go.
fn parse(value: &str) -> Result<Url, &'static str> {
    let value = value.trim();
    if value.starts_with(['"', '\'']) || value.ends_with(['"', '\'']) {
        return Err("has quotes: remove them");
    }
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let user = rest.rsplit_once('@').map(|(user, _)| user);
    if user.is_some_and(|user| !is_encoded(user)) {
        return Err("the user name or password has a character that must be percent-encoded, e.g. @ as %40");
    }
    let url = Url::parse(&format!("{scheme}://{rest}")).map_err(|_| EXPECTED)?;
    let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
    if !matches!(url.scheme(), "http" | "https") || has_more {
        return Err(EXPECTED);
    }
    Ok(url)
}

/// Returns whether a user name and password can be read in one way only.
fn is_encoded(user: &str) -> bool {
    let mut rest = user.split('%');
    let is_plain =
        |text: &str| !text.contains(|c: char| "@/\\?#".contains(c) || c.is_whitespace() || c.is_control());
    rest.next().is_none_or(is_plain)
        && rest.all(|text| is_plain(text) && text.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}

/// Returns whether `NO_PROXY` names the host of the URL. The entries are brought into the form that the matcher reads.
fn excepts(list: &str, url: &Url) -> bool {
    let port = url.port_or_known_default();
    let entries = list.split(|c: char| c == ',' || c.is_whitespace()).filter_map(|entry| {
        let entry = entry.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(entry);
        let host = match entry.rsplit_once(':') {
            Some((host, digits)) if host.ends_with(']') || !host.contains(':') => {
                (digits.parse().ok() == port).then_some(host)?
            }
            _ => entry,
        };
        Some(host.trim_end_matches('.').replace(['[', ']'], ""))
    });
    let entries: Vec<_> = entries.filter(|entry| !entry.is_empty()).collect();
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let Ok(target) = format!("http://{host}/").parse() else { return false };
    let matcher = Matcher::builder().all("http://proxy").no(entries.join(",")).build();
    entries.iter().any(|entry| entry == "*") || matcher.intercept(&target).is_none()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_is_read_as_by_curl_and_go() {
        let rows = [
            (
                "https://studio.example/v1",
                &[
                    "*",
                    "studio.example",
                    ".studio.example",
                    "example",
                    ".example",
                    "*.example",
                    "STUDIO.example",
                    "studio.example.",
                    "other,studio.example",
                    "other, studio.example",
                    "other studio.example",
                    "studio.example:443",
                    "*.example:443",
                    " * ",
                ][..],
                &[
                    "",
                    ",",
                    "studio",
                    "dio.example",
                    "studio.example:80",
                    "sub.studio.example",
                    "*.studio.exampl",
                    "10.0.0.0/8",
                    "studio.example:x",
                ][..],
            ),
            (
                "https://10.1.2.3:8443/",
                &["*", "10.1.2.3", "10.0.0.0/8", "10.1.2.3:8443", "192.0.2.1,10.1.0.0/16"],
                &["10.1.2.4", "10.2.0.0/16", "10.1.2.3:443", "10.1.2", "1.2.3"],
            ),
            (
                "https://[2001:db8::1]/",
                &["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443", "2001:db8::/32", "2001:DB8:0::1"],
                &["2001:db8::2", "[2001:db8::1]:80", "2001:db9::/32", "::1"],
            ),
        ];
        for (url, excepting, others) in rows {
            let url = Url::parse(url).unwrap();
            for list in excepting {
                assert!(excepts(list, &url), "{list:?} {url}");
            }
            for list in others {
                assert!(!excepts(list, &url), "{list:?} {url}");
            }
        }
    }

    #[test]
    fn a_proxy_is_read_in_one_way_or_refused() {
        for (text, url) in [
            ("http://proxy.example:3128", "http://proxy.example:3128/"),
            (" https://proxy.example/ ", "https://proxy.example/"),
            ("proxy.example:3128", "http://proxy.example:3128/"),
            ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128/"),
            ("http://jan:pw@proxy.example", "http://jan:pw@proxy.example/"),
            ("jan:p:w@proxy.example:80", "http://jan:p%3Aw@proxy.example/"),
            ("http://jan@proxy.example", "http://jan@proxy.example/"),
            ("http://jan:a%40b%2f%25%20%22@proxy.example", "http://jan:a%40b%2f%25%20%22@proxy.example/"),
        ] {
            assert_eq!(parse(text).unwrap().as_str(), url, "{text}");
        }
        for (text, hint) in [
            ("\"http://proxy.example:3128\"", "quotes"),
            ("'http://proxy.example'", "quotes"),
            ("socks5://proxy.example:1080", "SOCKS"),
            ("socks5h://jan:pw@proxy.example", "SOCKS"),
            ("ftp://proxy.example", "expected"),
            ("http://", "expected"),
            ("http://proxy.example:port", "expected"),
            ("http://proxy.example/path", "expected"),
            ("http://proxy.example#path", "expected"),
            ("http:proxy.example", "expected"),
            ("http:/proxy.example", "expected"),
            ("http://jan:p@w@proxy.example", "percent-encoded"),
            ("http://jan:p/w@proxy.example", "percent-encoded"),
            ("http://jan:1#2@proxy.example", "percent-encoded"),
            ("http://jan:1?2@proxy.example", "percent-encoded"),
            ("http://jan:p\\w@proxy.example", "percent-encoded"),
            ("http://jan:p w@proxy.example", "percent-encoded"),
            ("http://jan:p\tw@proxy.example", "percent-encoded"),
            ("http://jan:100%@proxy.example", "percent-encoded"),
            ("http://jan:%zz@proxy.example", "percent-encoded"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
