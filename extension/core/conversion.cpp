// SPDX-License-Identifier: PostgreSQL
#include "core/conversion.hpp"

#include <algorithm>

#include "core/lens.hpp"

namespace crm_bridge::core {

namespace {

constexpr std::string_view conversion_names =
    "Conversions are copy, text, comment, number, date_instant, picklist, flag, user_email and "
    "linked.";

bool refers_to_users(const Field &field) {
  return is_reference(field.type) && field.reference_module.ends_with("_user");
}

// The rules of default_conversion; empty if nothing fits.
std::string_view fitting_conversion(const Field &left, const Field &right) {
  const FieldType l = left.type;
  const FieldType r = right.type;
  if (is_textual(l) && is_textual(r)) {
    const bool one_is_html = (l == FieldType::html) != (r == FieldType::html);
    return one_is_html || (l == FieldType::text && r == FieldType::text) ? "text" : "copy";
  }
  if (is_reference(l) && is_reference(r)) {
    if (l == r && left.reference_module == right.reference_module) return "copy";
    if (refers_to_users(left) && refers_to_users(right)) return "user_email";
    return l == FieldType::reference && r == FieldType::reference ? "linked" : "";
  }
  if (l == r) return "copy";
  if (is_numeric(l) && (is_numeric(r) || r == FieldType::text)) return "number";
  if (is_numeric(r) && l == FieldType::text) return "number";
  if (l == FieldType::date && r == FieldType::instant) return "date_instant";
  if (l == FieldType::instant && r == FieldType::date) return "date_instant";
  if (l == FieldType::boolean && holds_choice(r)) return "flag";
  if (r == FieldType::boolean && holds_choice(l)) return "flag";
  return "";
}

std::string types_of(const Field &left, const Field &right) {
  return "\"" + label(left) + "\" is of type " + std::string(to_text(left.type)) + ", \"" +
         label(right) + "\" of type " + std::string(to_text(right.type)) + ".";
}

std::shared_ptr<const Lens> exact_lens(const Field &field) {
  switch (field.type) {
    case FieldType::text:
    case FieldType::html:
    case FieldType::picklist:
      return exact_text_lens(field);
    case FieldType::number:
    case FieldType::money:
      return std::make_shared<ExactLens<Number>>(field);
    case FieldType::boolean:
      return std::make_shared<ExactLens<bool>>(field);
    case FieldType::date:
      return std::make_shared<ExactLens<Date>>(field);
    case FieldType::instant:
      return std::make_shared<ExactLens<Instant>>(field);
    case FieldType::reference:
      return std::make_shared<ExactLens<Uuid>>(field);
    case FieldType::references:
      return std::make_shared<ExactLens<std::vector<Uuid>>>(field);
    case FieldType::json:
      break;
  }
  return std::make_shared<ExactLens<Json>>(field);
}

}  // namespace

std::string label(const Field &field) { return field.module + "." + field.name; }

void refuse_types(const std::string &conversion, const ConversionRequest &request,
                  std::string hint) {
  const std::string subject =
      conversion.empty() ? "no conversion" : "conversion \"" + conversion + "\"";
  throw Error{{.sqlstate = "42804",
               .message = subject + (conversion.empty() ? " joins" : " does not join") +
                          " field \"" + label(request.left) + "\" to field \"" +
                          label(request.right) + "\"",
               .detail = types_of(request.left, request.right),
               .hint = std::move(hint)}};
}

void refuse_parameter(const ConversionRequest &request, const std::string &problem,
                      std::string hint) {
  throw Error{{.sqlstate = "22023",
               .message = "conversion \"" + request.name + "\" between \"" + label(request.left) +
                          "\" and \"" + label(request.right) + "\" " + problem,
               .detail = types_of(request.left, request.right),
               .hint = std::move(hint)}};
}

void allow_parameters(const ConversionRequest &request,
                      std::initializer_list<std::string_view> known) {
  for (const auto &[name, value] : request.parameters) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string hint = known.size() == 0 ? "It takes no parameters." : "It takes the parameters:";
    for (const std::string_view each : known) hint += " " + std::string(each);
    refuse_parameter(request, "does not know the parameter \"" + name + "\"", std::move(hint));
  }
}

bool is_choice(const std::string &text, const Field &field) {
  return field.picklist.empty() ||
         std::find(field.picklist.begin(), field.picklist.end(), text) != field.picklist.end();
}

void throw_not_in_picklist(const Field &field) {
  throw Unmappable{"value_not_in_picklist",
                   "\"" + label(field) + "\" has no choice for this value."};
}

void check_text(const std::string &text, const Field &field) {
  if (!is_choice(text, field)) throw_not_in_picklist(field);
  const auto limit = static_cast<std::size_t>(std::max(field.maximum_length, 0));
  if (limit == 0 || text.size() <= limit) return;
  const auto characters =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      }));
  if (characters > limit) {
    throw Unmappable{"text_too_long", "The text has " + std::to_string(characters) +
                                          " characters, \"" + label(field) + "\" holds " +
                                          std::to_string(limit) + "."};
  }
}

bool KeepingLens::fits(const Value &canonical, const Value &old) const {
  try {
    return get(old) == canonical;
  } catch (const Unmappable &) {
    return false;
  }
}

Conversion make_copy(const ConversionRequest &request) {
  allow_parameters(request, {});
  const Field &left = request.left;
  const Field &right = request.right;
  const bool both_choices = holds_choice(left.type) && holds_choice(right.type);
  if (left.type != right.type && !both_choices) {
    const std::string_view other = fitting_conversion(left, right);
    refuse_types("copy", request,
                 other.empty() ? "Map fields of the same type."
                               : "Use the conversion \"" + std::string(other) + "\".");
  }
  if (is_reference(left.type) && left.reference_module != right.reference_module) {
    refuse_types(
        "copy", request,
        "The fields refer to \"" + left.reference_module + "\" and \"" + right.reference_module +
            "\": use the conversion \"user_email\" for users, \"linked\" for linked records.");
  }
  return {"copy", exact_lens(left), exact_lens(right)};
}

std::string default_conversion(const Field &left, const Field &right) {
  const std::string_view name = fitting_conversion(left, right);
  if (name.empty()) {
    ConversionRequest request;
    request.left = left;
    request.right = right;
    refuse_types("", request,
                 "Map fields of the same type, or text to number, text to html, date to instant, "
                 "boolean to picklist.");
  }
  return std::string(name);
}

namespace {

using Maker = Conversion (*)(const ConversionRequest &, Resolver *);

template <Conversion (*make)(const ConversionRequest &)>
Conversion without_resolver(const ConversionRequest &request, Resolver *) {
  return make(request);
}

constexpr std::pair<std::string_view, Maker> makers[]{
    {"copy", without_resolver<make_copy>},
    {"comment", without_resolver<make_comment>},
    {"text", without_resolver<make_text>},
    {"number", without_resolver<make_number>},
    {"date_instant", without_resolver<make_date_instant>},
    {"picklist", without_resolver<make_picklist>},
    {"flag", without_resolver<make_flag>},
    {"user_email", make_user_email},
    {"linked", make_linked},
};

}  // namespace

std::vector<std::string> known_conversions() {
  std::vector<std::string> names;
  for (const auto &[name, make] : makers) names.emplace_back(name);
  return names;
}

Conversion make_conversion(const ConversionRequest &request, Resolver *resolver) {
  if (request.name.empty()) {
    ConversionRequest named = request;
    named.name = default_conversion(request.left, request.right);
    return make_conversion(named, resolver);
  }
  for (const auto &[name, make] : makers)
    if (request.name == name) return make(request, resolver);
  throw Error{{.sqlstate = "22023",
               .message = "conversion \"" + request.name + "\" is not known",
               .detail = types_of(request.left, request.right),
               .hint = std::string(conversion_names)}};
}

namespace {

class ReadOnlyLens final : public Lens {
 public:
  ReadOnlyLens(std::shared_ptr<const Lens> lens, Field field)
      : lens_(std::move(lens)), field_(std::move(field)) {}

  Value get(const Value &stored) const override { return lens_->get(stored); }
  Value put(const Value &canonical, const Value &old) const override {
    if (lens_->put(canonical, old) == old) return old;
    throw Unmappable{"field_read_only",
                     "The service takes no value for \"" + label(field_) + "\"."};
  }

 private:
  std::shared_ptr<const Lens> lens_;
  Field field_;
};

}  // namespace

std::shared_ptr<const Lens> read_only_lens(std::shared_ptr<const Lens> lens, const Field &field) {
  return std::make_shared<ReadOnlyLens>(std::move(lens), field);
}

}  // namespace crm_bridge::core
