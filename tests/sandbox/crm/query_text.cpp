// SPDX-License-Identifier: PostgreSQL
// The two languages in which the CRM is asked: search criteria and COQL.
#include "query.hpp"

#include <algorithm>

namespace crm_bridge::sandbox::crm {
namespace {

constexpr int deepest_nesting = 50;

// ((A:equals:x)and(B:in:y,z))or(C:starts_with:w), backslash before ( ) , \ inside a value.
class Criteria {
 public:
  explicit Criteria(const std::string &text) : text_{text} {}

  Condition parse() {
    Condition condition = alternatives(0);
    if (position_ != text_.size()) throw SyntaxError{"unexpected text after the criteria"};
    return condition;
  }

 private:
  Condition alternatives(int depth) {
    if (depth > deepest_nesting) throw SyntaxError{"criteria nested too deeply"};
    Condition result = primary(depth);
    while (true) {
      const bool both = word("and");
      if (!both && !word("or")) return result;
      Condition joined;
      joined.kind = both ? Condition::Kind::all : Condition::Kind::any;
      joined.parts.push_back(std::move(result));
      joined.parts.push_back(primary(depth));
      result = std::move(joined);
    }
  }

  Condition primary(int depth) {
    if (position_ >= text_.size() || text_[position_] != '(') throw SyntaxError{"expected ("};
    ++position_;
    if (position_ < text_.size() && text_[position_] == '(') {
      Condition inner = alternatives(depth + 1);
      close();
      return inner;
    }
    Condition condition;
    condition.field = until(':');
    condition.operation = until(':');
    std::string value;
    for (; position_ < text_.size() && text_[position_] != ')'; ++position_) {
      if (text_[position_] == ',' && many(condition.operation)) {
        condition.values.push_back(std::move(value));
        value.clear();
        continue;
      }
      if (text_[position_] == '\\' && position_ + 1 < text_.size()) ++position_;
      value += text_[position_];
    }
    condition.values.push_back(std::move(value));
    close();
    if (condition.values.front() == "${EMPTY}") {
      condition.operation = condition.operation == "not_equal" ? "is_not_null" : "is_null";
    } else if (condition.operation == "equals") {
      condition.operation = "contains";
    }
    return condition;
  }

  static bool many(const std::string &operation) {
    return operation == "in" || operation == "between";
  }

  std::string until(char mark) {
    const std::size_t end = text_.find(mark, position_);
    if (end == std::string::npos) throw SyntaxError{"expected field:operator:value"};
    std::string part = text_.substr(position_, end - position_);
    position_ = end + 1;
    return part;
  }
  bool word(const std::string &wanted) {
    if (text_.compare(position_, wanted.size(), wanted) != 0) return false;
    position_ += wanted.size();
    return true;
  }
  void close() {
    if (position_ >= text_.size() || text_[position_] != ')') throw SyntaxError{"expected )"};
    ++position_;
  }

  const std::string &text_;
  std::size_t position_ = 0;
};

struct Token {
  enum class Kind { name, value, symbol, end };
  Kind kind = Kind::end;
  std::string text;

  bool is(const std::string &word) const {
    if (kind == Kind::value || kind == Kind::end || text.size() != word.size()) return false;
    return std::equal(text.begin(), text.end(), word.begin(), [](char l, char r) {
      return (l >= 'A' && l <= 'Z' ? l - 'A' + 'a' : l) == r;
    });
  }
};

std::vector<Token> tokens_of(const std::string &text) {
  std::vector<Token> tokens;
  const auto is_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '$' || c == '-' || c == '+';
  };
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      ++i;
    } else if (c == '\'') {
      Token token{Token::Kind::value, {}};
      for (++i;; ++i) {
        if (i >= text.size()) throw SyntaxError{"unterminated string"};
        if (text[i] == '\'' && i + 1 < text.size() && text[i + 1] == '\'') {
          ++i;
        } else if (text[i] == '\\' && i + 1 < text.size()) {
          ++i;
        } else if (text[i] == '\'') {
          break;
        }
        token.text += text[i];
      }
      ++i;
      tokens.push_back(std::move(token));
    } else if (is_name(c)) {
      const std::size_t start = i;
      while (i < text.size() && is_name(text[i])) ++i;
      tokens.push_back({Token::Kind::name, text.substr(start, i - start)});
    } else {
      const std::string two = text.substr(i, 2);
      const bool pair = two == "!=" || two == ">=" || two == "<=" || two == "<>";
      tokens.push_back({Token::Kind::symbol, pair ? two : std::string(1, c)});
      i += pair ? 2 : 1;
    }
  }
  tokens.emplace_back();
  return tokens;
}

class Coql {
 public:
  explicit Coql(const std::string &text) : tokens_{tokens_of(text)} {}

  Selection parse() {
    Selection selection;
    expect("select");
    do {
      std::string column = take().text;
      if (accept("(")) {
        column += "(" + take().text + ")";
        expect(")");
        selection.count = true;
      }
      selection.columns.push_back(std::move(column));
    } while (accept(","));
    expect("from");
    selection.module = name();
    expect("where");
    selection.condition = any(0);
    if (accept("order")) {
      expect("by");
      do {
        const std::string field = name();
        const bool descending = accept("desc");
        if (!descending) accept("asc");
        selection.order.emplace_back(field, descending);
      } while (accept(","));
    }
    if (accept("limit")) {
      selection.limit = number();
      if (accept(",")) {
        selection.offset = selection.limit;
        selection.limit = number();
      } else if (accept("offset")) {
        selection.offset = number();
      }
    }
    if (tokens_[position_].kind != Token::Kind::end)
      throw SyntaxError{"unexpected " + tokens_[position_].text};
    return selection;
  }

 private:
  Condition any(int depth) { return joined(depth, "or", Condition::Kind::any); }
  Condition all(int depth) { return joined(depth, "and", Condition::Kind::all); }

  Condition joined(int depth, const std::string &word, Condition::Kind kind) {
    if (depth > deepest_nesting) throw SyntaxError{"conditions nested too deeply"};
    Condition first = kind == Condition::Kind::any ? all(depth) : primary(depth);
    if (!tokens_[position_].is(word)) return first;
    Condition group;
    group.kind = kind;
    group.parts.push_back(std::move(first));
    while (accept(word))
      group.parts.push_back(kind == Condition::Kind::any ? all(depth) : primary(depth));
    return group;
  }

  Condition primary(int depth) {
    if (accept("(")) {
      Condition inner = any(depth + 1);
      expect(")");
      return inner;
    }
    Condition condition;
    condition.field = name();
    if (accept("is")) {
      condition.operation = accept("not") ? "is_not_null" : "is_null";
      expect("null");
      return condition;
    }
    const bool inverted = accept("not");
    if (accept("in")) {
      condition.operation = inverted ? "not_in" : "in";
      expect("(");
      do condition.values.push_back(take().text);
      while (accept(","));
      expect(")");
    } else if (accept("between")) {
      condition.operation = inverted ? "not_between" : "between";
      condition.values.push_back(take().text);
      expect("and");
      condition.values.push_back(take().text);
    } else if (accept("like")) {
      condition.operation = inverted ? "not_like" : "like";
      condition.values.push_back(take().text);
    } else {
      static const std::vector<std::pair<std::string, std::string>> operators{
          {"=", "equals"},         {"!=", "not_equal"}, {"<>", "not_equal"}, {">", "greater_than"},
          {">=", "greater_equal"}, {"<", "less_than"},  {"<=", "less_equal"}};
      for (const auto &[symbol, operation] : operators) {
        if (condition.operation.empty() && accept(symbol)) condition.operation = operation;
      }
      if (condition.operation.empty())
        throw SyntaxError{"expected an operator after " + condition.field};
      condition.values.push_back(take().text);
    }
    return condition;
  }

  bool accept(const std::string &word) {
    if (!tokens_[position_].is(word)) return false;
    ++position_;
    return true;
  }
  void expect(const std::string &word) {
    if (!accept(word)) throw SyntaxError{"expected " + word};
  }
  const Token &take() {
    const Token &token = tokens_[position_];
    if (token.kind == Token::Kind::end || token.kind == Token::Kind::symbol)
      throw SyntaxError{"unexpected end or symbol"};
    ++position_;
    return token;
  }
  std::string name() {
    const Token &token = take();
    if (token.kind != Token::Kind::name) throw SyntaxError{"expected a name"};
    return token.text;
  }
  std::size_t number() {
    const std::string text = name();
    if (text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
      throw SyntaxError{"expected a number"};
    return std::stoul(text);
  }

  std::vector<Token> tokens_;
  std::size_t position_ = 0;
};

}  // namespace

Condition parse_criteria(const std::string &text) { return Criteria{text}.parse(); }
Selection parse_selection(const std::string &text) { return Coql{text}.parse(); }

}  // namespace crm_bridge::sandbox::crm
