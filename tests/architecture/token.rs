//! The tokens of a file, as far as paths need them. Comments are none; documentation is a literal.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

#[derive(Debug)]
pub(crate) enum Token {
    /// A word, and its line.
    Word(String, usize),
    /// `::`
    Colons,
    Mark(char),
    Literal,
    /// What stands between two brackets, and the first of them.
    Group(char, Vec<Token>),
}

pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let stream = text.parse().expect("a file of Rust");
    from_stream(stream)
}

fn from_stream(stream: TokenStream) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut is_in_colons = false;
    for tree in stream {
        match tree {
            TokenTree::Punct(mark) if mark.as_char() == ':' && is_in_colons => {
                is_in_colons = false;
                tokens.push(Token::Colons);
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => {
                is_in_colons = mark.spacing() == Spacing::Joint;
                if !is_in_colons {
                    tokens.push(Token::Mark(':'));
                }
            }
            TokenTree::Punct(mark) => tokens.push(Token::Mark(mark.as_char())),
            TokenTree::Ident(word) => {
                tokens.push(Token::Word(word.to_string(), word.span().start().line));
            }
            TokenTree::Literal(_) => tokens.push(Token::Literal),
            TokenTree::Group(group) => {
                let inside = from_stream(group.stream());
                tokens.push(Token::Group(bracket(group.delimiter()), inside));
            }
        }
    }
    tokens
}

fn bracket(delimiter: Delimiter) -> char {
    match delimiter {
        Delimiter::Parenthesis => '(',
        Delimiter::Brace => '{',
        Delimiter::Bracket => '[',
        Delimiter::None => ' ',
    }
}
