// SPDX-License-Identifier: PostgreSQL
// The conversions "text" and "number": what a text can say.
#include <algorithm>

#include "core/html.hpp"
#include "core/lens.hpp"

namespace crm_bridge::core {

namespace {

// Whether html_to_plain(plain_to_html(text)) is certain to be `text`, without making either.
bool is_laid_out(std::string_view text) {
  char previous = '\n';
  for (const char c : text) {
    if (c == '\t' || c == '\r' || c == '\f') return false;
    if (c == ' ' && (previous == ' ' || previous == '\n')) return false;
    if (c == '\n' && previous == ' ') return false;
    previous = c;
  }
  return text.empty() || (previous != ' ' && previous != '\n');
}

std::string laid_out(const std::string &text) {
  return is_laid_out(text) ? text : html_to_plain(plain_to_html(text));
}

Value empty_as_null(std::string &&text) {
  if (text.empty()) return {};
  return std::move(text);
}

// Plain text or a picklist's value.  Opposite HTML its white space is judged as a browser shows it:
// two spaces where the other side can show but one are no change that could travel.
class PlainLens final : public KeepingLens {
 public:
  PlainLens(Field field, bool opposite_html)
      : field_(std::move(field)), opposite_html_(opposite_html) {}

  Value get(const Value &stored) const override {
    if (is_empty_text(stored)) return {};
    const auto &text = stored_as<std::string>(stored, field_);
    return opposite_html_ ? empty_as_null(laid_out(text)) : Value(text);
  }

 protected:
  bool fits(const Value &canonical, const Value &old) const override {
    if (canonical == old || (is_null(canonical) && is_empty_text(old))) return true;
    return opposite_html_ && KeepingLens::fits(canonical, old);
  }

  Value make(const Value &canonical, const Value &) const override {
    if (is_empty_text(canonical)) return {};
    const auto &text = stored_as<std::string>(canonical, field_);
    if (opposite_html_ && !is_choice(text, field_)) return choice_shown_as(text);
    check_text(text, field_);
    return text;
  }

 private:
  Value choice_shown_as(const std::string &text) const {
    const auto choice =
        std::find_if(field_.picklist.begin(), field_.picklist.end(),
                     [&](const std::string &each) { return laid_out(each) == text; });
    if (choice == field_.picklist.end()) throw_not_in_picklist(field_);
    return *choice;
  }

  Field field_;
  bool opposite_html_;
};

// Markup, which stays as it is for as long as it shows the same text.
class HtmlLens final : public KeepingLens {
 public:
  explicit HtmlLens(Field field) : field_(std::move(field)) {}

  Value get(const Value &stored) const override {
    if (is_null(stored)) return {};
    return empty_as_null(html_to_plain(stored_as<std::string>(stored, field_)));
  }

 protected:
  Value make(const Value &canonical, const Value &) const override {
    if (is_empty_text(canonical)) return {};
    std::string html = plain_to_html(stored_as<std::string>(canonical, field_));
    check_text(html, field_);
    return html;
  }

 private:
  Field field_;
};

std::shared_ptr<const Lens> text_lens(const Field &field, const Field &opposite) {
  if (field.type == FieldType::html) return std::make_shared<HtmlLens>(field);
  return std::make_shared<PlainLens>(field, opposite.type == FieldType::html);
}

// "007" and "7.0" say 7; they stay as they are until the number becomes another.
class NumberTextLens final : public KeepingLens {
 public:
  explicit NumberTextLens(Field field) : field_(std::move(field)) {}

  Value get(const Value &stored) const override {
    if (is_null(stored)) return {};
    constexpr std::string_view white_space = " \t\r\n\f\v";
    const std::string_view text = stored_as<std::string>(stored, field_);
    const std::size_t first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos) return {};
    const std::size_t last = text.find_last_not_of(white_space);
    auto number = parse_number(text.substr(first, last - first + 1));
    if (!number)
      throw Unmappable{"not_representable",
                       "The text in \"" + label(field_) + "\" is not a number."};
    return std::move(*number);
  }

 protected:
  Value make(const Value &canonical, const Value &) const override {
    if (is_null(canonical)) return {};
    const std::string &digits = stored_as<Number>(canonical, field_).digits;
    check_text(digits, field_);
    return digits;
  }

 private:
  Field field_;
};

std::shared_ptr<const Lens> number_lens(const Field &field) {
  if (is_numeric(field.type)) return std::make_shared<ExactLens<Number>>(field);
  return std::make_shared<NumberTextLens>(field);
}

}  // namespace

std::shared_ptr<const Lens> exact_text_lens(const Field &field) {
  return std::make_shared<PlainLens>(field, false);
}

Conversion make_text(const ConversionRequest &request) {
  if (!is_textual(request.left.type) || !is_textual(request.right.type)) {
    refuse_types("text", request, "It joins fields of the types text, picklist and html.");
  }
  allow_parameters(request, {});
  return {"text", text_lens(request.left, request.right), text_lens(request.right, request.left)};
}

Conversion make_number(const ConversionRequest &request) {
  const auto can_hold = [](FieldType type) { return is_numeric(type) || type == FieldType::text; };
  const bool one_is_numeric = is_numeric(request.left.type) || is_numeric(request.right.type);
  if (!one_is_numeric || !can_hold(request.left.type) || !can_hold(request.right.type)) {
    refuse_types("number", request,
                 "It joins number, money and text; at least one side is number or money.");
  }
  allow_parameters(request, {});
  return {"number", number_lens(request.left), number_lens(request.right)};
}

}  // namespace crm_bridge::core
