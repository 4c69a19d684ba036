use super::*;

fn letters(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn whole(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern).unwrap().matches(&letters(text))
}

#[test]
fn whole_text_must_match() {
    assert!(whole("CN=(.*?),OU=.*", "CN=a,OU=b") && !whole("CN", "CN=a"));
    assert!(whole("a|bc", "bc") && whole("(a|b)*c", "ababc") && !whole("(a|b)*c", "abab"));
    assert!(whole("[a-c]{2,3}", "abc") && !whole("[a-c]{2,3}", "a") && !whole("[^a-c]", "b"));
    assert!(whole(r"\w+\.\d{2}", "ab_c.12") && !whole(r"\w+\.\d{2}", "abxc12"));
    assert!(whole("^$", "") && whole("", ""));
}

#[test]
fn first_match_is_the_one_that_backtracking_prefers() {
    let find = |pattern: &str, text: &str| {
        let found = Pattern::new(pattern)
            .unwrap()
            .find(&letters(text), 0)
            .unwrap();
        (found.start, found.end)
    };
    assert_eq!(find("a|ab", "xab"), (1, 2));
    assert_eq!(find("ab|a", "xab"), (1, 3));
    assert_eq!(find("a*", "aab"), (0, 2));
    assert_eq!(find("a*?", "aab"), (0, 0));
    assert_eq!(find("b+?", "abb"), (1, 2));
}

#[test]
fn groups_are_remembered() {
    let found = Pattern::new("CN=(.*?),(OU=(.*)|X)")
        .unwrap()
        .find(&letters("CN=a,OU=b"), 0)
        .unwrap();
    assert_eq!(found.groups, [Some((3, 4)), Some((5, 9)), Some((8, 9))]);
    let found = Pattern::new("(a)|(b)")
        .unwrap()
        .find(&letters("b"), 0)
        .unwrap();
    assert_eq!(found.groups, [None, Some((0, 1))]);
}

#[test]
fn nested_repetition_takes_linear_time() {
    let text = letters(&"a".repeat(5_000));
    assert!(!Pattern::new("((a+)+)+b").unwrap().matches(&text));
    assert!(!Pattern::new("(a|aa)+$b").unwrap().matches(&text));
}

#[test]
fn what_is_not_spoken_is_refused_by_name() {
    for pattern in [
        "(a*)*",
        "(a?|b){2}",
        "(^)+",
        "(?=a)",
        "(?<n>a)",
        r"(a)\1",
        "a++",
        "[a&&b]",
        "[[a]]",
        r"\p{L}",
    ] {
        assert!(
            matches!(Pattern::new(pattern), Err(PatternError::Unsupported(_))),
            "{pattern}"
        );
    }
    for pattern in [
        "(", ")", "[a", "*a", "a**", "a{", "a{2,1}", "[b-a]", r"[a-\d]", "\\",
    ] {
        assert!(
            matches!(Pattern::new(pattern), Err(PatternError::Malformed(_))),
            "{pattern}"
        );
    }
    assert_eq!(
        Pattern::new("((a{1000}){1000})").unwrap_err(),
        PatternError::TooLarge
    );
}
