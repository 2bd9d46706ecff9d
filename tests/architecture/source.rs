//! One file: its modules, the items they define, and every path outside `#[cfg(test)]`.

use super::token::{Token, tokens};
use std::collections::BTreeSet;

/// A module's names, from the root of the crate down.
pub(crate) type Module = Vec<String>;

#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The file's own module, and those that stand in it with their text.
    pub(crate) modules: Vec<Module>,
    /// Those that have a file of their own.
    pub(crate) declared: Vec<Module>,
    /// Those of them that are only there for tests.
    pub(crate) tests: Vec<Module>,
    pub(crate) items: BTreeSet<(Module, String)>,
    pub(crate) paths: Vec<Path>,
    /// The words outside `use` that may name what a `use` brought: the first of a path, a type or a
    /// constant, a function that is called.
    pub(crate) words: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) module: Module,
    pub(crate) line: usize,
    pub(crate) names: Vec<String>,
    pub(crate) role: Role,
}

#[derive(Debug)]
pub(crate) enum Role {
    Inline,
    /// A `use`, and the name that it brings; `*` if it brings all there are.
    Import(String),
    /// A `use` with a visibility.
    Reexport(String),
}

/// What the branches of a `use` have in common, and the line of its last name.
#[derive(Clone, Default)]
struct Stem {
    names: Vec<String>,
    line: usize,
}

impl Stem {
    fn grow(&mut self, name: &str, line: usize) {
        self.names.push(name.to_owned());
        self.line = line;
    }
}

#[derive(Clone, Copy)]
struct Place<'a> {
    module: &'a Module,
    /// Whether what is defined here belongs to the module, not to a function or the like.
    is_top: bool,
}

impl Place<'_> {
    fn child(self, name: &str) -> Module {
        let mut child = self.module.clone();
        child.push(name.to_owned());
        child
    }
}

impl Source {
    pub(crate) fn read(module: &Module, text: &str) -> Self {
        let mut source = Self::default();
        source.module(&tokens(text), module);
        source
    }

    fn module(&mut self, tokens: &[Token], module: &Module) {
        self.modules.push(module.clone());
        let is_top = true;
        self.walk(tokens, Place { module, is_top });
    }

    fn walk(&mut self, tokens: &[Token], place: Place) {
        let mut rest = tokens;
        while !rest.is_empty() {
            rest = self.step(rest, place);
        }
    }

    /// Reads on by one token at least, and gives what is left.
    fn step<'t>(&mut self, tokens: &'t [Token], place: Place) -> &'t [Token] {
        use Token::{Colons, Group, Mark, Word};
        match tokens {
            [Mark('#'), Group('[', attribute), rest @ ..] if is_cfg_test(attribute) => {
                self.test(rest, place)
            }
            [Mark('.'), Mark('.'), rest @ ..] => self.step(rest, place),
            // Another crate's path, a macro's variable or `$crate`, a field or a method.
            [Colons | Mark('$' | '.'), rest @ ..] => past_path(rest),
            [Word(word, _), rest @ ..] if word == "pub" => {
                let rest = past_scope(rest);
                match rest {
                    [Word(word, _), tree @ ..] if word == "use" => {
                        self.import(tree, place, Role::Reexport)
                    }
                    _ => rest,
                }
            }
            // `use<'a>` is a bound.
            [Word(word, _), Mark('<'), rest @ ..] if word == "use" => rest,
            [Word(word, _), tree @ ..] if word == "use" => self.import(tree, place, Role::Import),
            [Word(word, _), Word(name, _), Mark(';'), rest @ ..] if word == "mod" => {
                if place.is_top {
                    self.declared.push(place.child(name));
                }
                rest
            }
            [Word(word, _), Word(name, _), Group('{', inside), rest @ ..] if word == "mod" => {
                self.module(inside, &place.child(name));
                rest
            }
            [Word(..), ..] => self.words(tokens, place),
            [Group(_, inside), rest @ ..] => {
                let is_top = false;
                self.walk(inside, Place { is_top, ..place });
                rest
            }
            [_, rest @ ..] => rest,
            [] => tokens,
        }
    }

    fn words<'t>(&mut self, tokens: &'t [Token], place: Place) -> &'t [Token] {
        let rest = past_path(tokens);
        let names = names(&tokens[..tokens.len() - rest.len()]);
        let Some(Token::Word(first, line)) = tokens.first() else {
            return rest;
        };
        match rest {
            _ if names.len() > 1 => self.paths.push(Path {
                module: place.module.clone(),
                line: *line,
                names,
                role: Role::Inline,
            }),
            // The last word of `const fn` and of `*const some::Path` is no name of an item.
            [Token::Word(name, _), after @ ..]
                if defines(first)
                    && !defines(name)
                    && !matches!(after.first(), Some(Token::Colons)) =>
            {
                if place.is_top {
                    self.items.insert((place.module.clone(), name.clone()));
                }
                return after;
            }
            [Token::Group('(', _), ..] => {}
            // A variable or a field may have the name of a function.
            _ if first.starts_with(char::is_lowercase) => return rest,
            _ => {}
        }
        self.words.insert(first.clone());
        rest
    }

    fn import<'t>(
        &mut self,
        tokens: &'t [Token],
        place: Place,
        role: fn(String) -> Role,
    ) -> &'t [Token] {
        let end = tokens
            .iter()
            .position(|token| matches!(token, Token::Mark(';')));
        let (tree, rest) = tokens.split_at(end.unwrap_or(tokens.len()));
        self.tree(tree, &Stem::default(), place, role);
        rest
    }

    fn tree(&mut self, tokens: &[Token], stem: &Stem, place: Place, role: fn(String) -> Role) {
        for branch in tokens.split(|token| matches!(token, Token::Mark(','))) {
            self.branch(branch, stem.clone(), place, role);
        }
    }

    fn branch(
        &mut self,
        mut rest: &[Token],
        mut stem: Stem,
        place: Place,
        role: fn(String) -> Role,
    ) {
        use Token::{Colons, Group, Mark, Word};
        while let [Word(name, line), Colons, more @ ..] = rest {
            stem.grow(name, *line);
            rest = more;
        }
        let binds = match rest {
            [Group('{', inside)] => return self.tree(inside, &stem, place, role),
            [Mark('*')] => "*",
            [Word(name, line), renamed @ ..] => {
                if name != "self" {
                    stem.grow(name, *line);
                }
                match renamed {
                    [_, Word(name, _)] => name,
                    _ => stem.names.last().unwrap_or(name),
                }
            }
            _ => return,
        };
        let role = role(binds.to_owned());
        self.paths.push(Path {
            module: place.module.clone(),
            line: stem.line,
            names: stem.names,
            role,
        });
    }

    fn test<'t>(&mut self, tokens: &'t [Token], place: Place) -> &'t [Token] {
        use Token::{Group, Mark, Word};
        match tokens {
            [Mark('#'), Group('[', _), rest @ ..] => self.test(rest, place),
            [Word(word, _), rest @ ..] if word == "pub" => self.test(past_scope(rest), place),
            [Word(word, _), Word(name, _), Mark(';'), rest @ ..] if word == "mod" => {
                self.tests.push(place.child(name));
                rest
            }
            _ => past_item(tokens),
        }
    }
}

fn is_cfg_test(attribute: &[Token]) -> bool {
    let [Token::Word(cfg, _), Token::Group('(', condition)] = attribute else {
        return false;
    };
    cfg == "cfg" && matches!(condition.as_slice(), [Token::Word(test, _)] if test == "test")
}

fn defines(word: &str) -> bool {
    let words = [
        "const", "enum", "fn", "static", "struct", "trait", "type", "union",
    ];
    words.contains(&word)
}

/// What follows `(crate)`, `(in some::path)` and the like; a tuple is none of them.
fn past_scope(tokens: &[Token]) -> &[Token] {
    let [Token::Group('(', inside), rest @ ..] = tokens else {
        return tokens;
    };
    match inside.as_slice() {
        [Token::Word(word, _)] if ["crate", "self", "super"].contains(&word.as_str()) => rest,
        [Token::Word(word, _), ..] if word == "in" => rest,
        _ => tokens,
    }
}

fn past_path(tokens: &[Token]) -> &[Token] {
    let [Token::Word(..), rest @ ..] = tokens else {
        return tokens;
    };
    let mut rest = rest;
    while let [Token::Colons, Token::Word(..), more @ ..] = rest {
        rest = more;
    }
    rest
}

/// An item or a statement ends with its braces or a semicolon; a field or a variant with a comma.
fn past_item(tokens: &[Token]) -> &[Token] {
    let others = ["async", "extern", "impl", "unsafe", "use"];
    let is_item = matches!(tokens.first(), Some(Token::Word(word, _))
        if defines(word) || others.contains(&word.as_str()));
    let end = tokens.iter().position(|token| match token {
        Token::Mark(';') | Token::Group('{', _) => true,
        Token::Mark(',') => !is_item,
        _ => false,
    });
    &tokens[end.map_or(tokens.len(), |end| end + 1)..]
}

fn names(path: &[Token]) -> Vec<String> {
    let names = path.iter().filter_map(|token| match token {
        Token::Word(name, _) => Some(name.clone()),
        _ => None,
    });
    names.collect()
}
