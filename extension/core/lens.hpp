// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "core/conversion.hpp"

// What the conversions share among themselves; everybody else includes conversion.hpp.
namespace crm_bridge::core {

// module.name, as messages show it.
std::string label(const Field &field);

// 42804 that names both fields and types.
[[noreturn]] void refuse_types(const std::string &conversion, const ConversionRequest &request,
                               std::string hint);
// 22023 that names the conversion and both fields.
[[noreturn]] void refuse_parameter(const ConversionRequest &request, const std::string &problem,
                                   std::string hint);
// 22023 unless every parameter of the request is one of `known`.
void allow_parameters(const ConversionRequest &request,
                      std::initializer_list<std::string_view> known);

inline bool is_textual(FieldType type) {
  return type == FieldType::text || type == FieldType::html || type == FieldType::picklist;
}
inline bool is_numeric(FieldType type) {
  return type == FieldType::number || type == FieldType::money;
}
// Where a service keeps one of a few words.
inline bool holds_choice(FieldType type) {
  return type == FieldType::text || type == FieldType::picklist;
}
inline bool is_reference(FieldType type) {
  return type == FieldType::reference || type == FieldType::references;
}

// The alternative that the field's type promises; anything else in a value is not_representable.
template <typename T>
const T &stored_as(const Value &value, const Field &field) {
  if (const T *stored = std::get_if<T>(&value)) return *stored;
  throw Unmappable{"not_representable",
                   "A value of another type stands in \"" + label(field) + "\"."};
}

// Empty text and no text are both "empty": services do not keep them apart.
inline bool is_empty_text(const Value &value) {
  const auto *text = std::get_if<std::string>(&value);
  return is_null(value) || (text != nullptr && text->empty());
}

// text_too_long, or value_not_in_picklist where the choices are known.
void check_text(const std::string &text, const Field &field);
bool is_choice(const std::string &text, const Field &field);
[[noreturn]] void throw_not_in_picklist(const Field &field);

// A lens whose first law holds by construction: what shows the canonical value already is left
// alone.
class KeepingLens : public Lens {
 public:
  Value put(const Value &canonical, const Value &old) const final {
    return fits(canonical, old) ? old : make(canonical, old);
  }

 protected:
  // Whether get(old) is `canonical`.  An old value that cannot be expressed does not fit; it does
  // not stand in the way.
  virtual bool fits(const Value &canonical, const Value &old) const;
  virtual Value make(const Value &canonical, const Value &old) const = 0;
};

// A value of one type as it stands.
template <typename T>
class ExactLens final : public KeepingLens {
 public:
  explicit ExactLens(Field field) : field_(std::move(field)) {}
  Value get(const Value &stored) const override {
    if (is_null(stored)) return {};
    return stored_as<T>(stored, field_);
  }

 protected:
  bool fits(const Value &canonical, const Value &old) const override { return canonical == old; }
  Value make(const Value &canonical, const Value &) const override { return get(canonical); }

 private:
  Field field_;
};

// Text, markup or a choice as it stands; put checks the field's length and choices.
std::shared_ptr<const Lens> exact_text_lens(const Field &field);

// One maker for each name in conversion.hpp; each checks types and parameters.
Conversion make_copy(const ConversionRequest &request);
Conversion make_comment(const ConversionRequest &request);
Conversion make_text(const ConversionRequest &request);
Conversion make_number(const ConversionRequest &request);
Conversion make_date_instant(const ConversionRequest &request);
Conversion make_picklist(const ConversionRequest &request);
Conversion make_flag(const ConversionRequest &request);
Conversion make_user_email(const ConversionRequest &request, Resolver *resolver);
Conversion make_linked(const ConversionRequest &request, Resolver *resolver);

}  // namespace crm_bridge::core
