// SPDX-License-Identifier: PostgreSQL
// The conversion "comment": what somebody said, beside a line that names him where the service
// cannot.
#include "core/html.hpp"
#include "core/lens.hpp"

namespace crm_bridge::core {

namespace {

// "[Zoho CRM: Mira Novak]" as the first line of the plain text; empty where there is none.
std::string_view author_line_of(std::string_view plain, const std::string &mark) {
  const std::string_view line = plain.substr(0, plain.find('\n'));
  if (!line.starts_with("[" + mark) || !line.ends_with("]")) return {};
  const char next = line[mark.size() + 1];
  return next == ']' || next == ':' ? line : std::string_view{};
}

// Markup whose author line belongs to this side alone: the other side knows its author itself.
class CommentLens final : public KeepingLens {
 public:
  CommentLens(Field field, std::string mark) : field_(std::move(field)), mark_(std::move(mark)) {}

  Value get(const Value &stored) const override {
    if (is_null(stored)) return {};
    std::string plain = html_to_plain(stored_as<std::string>(stored, field_));
    const std::size_t line = author_line_of(plain, mark_).size();
    if (line > 0) plain.erase(0, line + 1);
    if (plain.empty()) return {};
    return plain;
  }

 protected:
  Value make(const Value &canonical, const Value &old) const override {
    std::string text =
        is_empty_text(canonical) ? std::string{} : stored_as<std::string>(canonical, field_);
    std::string before;
    if (const auto *markup = std::get_if<std::string>(&old)) {
      const std::string plain = html_to_plain(*markup);
      before = author_line_of(plain, mark_);
    }
    if (!before.empty()) {
      text = text.empty() ? before : before + "\n" + text;
    } else if (!author_line_of(text, mark_).empty()) {
      throw Unmappable{"not_representable",
                       "The text begins with a line that names an author of another service."};
    }
    if (text.empty()) return {};
    std::string html = plain_to_html(text);
    check_text(html, field_);
    return html;
  }

 private:
  Field field_;
  std::string mark_;
};

}  // namespace

Conversion make_comment(const ConversionRequest &request) {
  if (request.left.type != FieldType::text || request.right.type != FieldType::html)
    refuse_types("comment", request, "It joins a text on the left with html on the right.");
  allow_parameters(request, {"author_line"});
  const auto mark = request.parameters.find("author_line");
  if (mark == request.parameters.end() || mark->second.empty() ||
      mark->second.find_first_of("[]:\n") != std::string::npos)
    refuse_parameter(request, "needs the parameter author_line",
                     "Give the words with which an author line begins, as in Zoho CRM for [Zoho "
                     "CRM: Mira Novak].");
  ConversionRequest texts = request;
  texts.name = "text";
  texts.parameters.clear();
  return {"comment", make_text(texts).left,
          std::make_shared<CommentLens>(request.right, mark->second)};
}

}  // namespace crm_bridge::core
