// SPDX-License-Identifier: PostgreSQL
#include <boost/test/unit_test.hpp>

#include "core/conversion.hpp"
#include "core/error.hpp"

namespace crm_bridge::core {
namespace {

Conversion comment() {
  return make_conversion({.name = "comment",
                          .parameters = {{"author_line", "Zoho CRM"}},
                          .left = {"crm_note", "content", FieldType::text, 65535},
                          .right = {"projects_comment", "content", FieldType::html, 200}},
                         nullptr);
}
Value text(const char *value) { return std::string{value}; }

BOOST_AUTO_TEST_SUITE(comment_conversion)

BOOST_AUTO_TEST_CASE(R77_the_author_line_is_not_part_of_what_was_said) {
  auto const lens = comment().right;
  BOOST_TEST((lens->get(text("[Zoho CRM: Mira]<br>Asked &lt;twice&gt;<br>today")) ==
              text("Asked <twice>\ntoday")));
  BOOST_TEST((lens->get(text("<p>[Zoho CRM]</p><p>Asked</p>")) == text("Asked")));
  BOOST_TEST((lens->get(text("[Zoho CRM: Mira]")) == Value{}));
  BOOST_TEST((lens->get(text("<b>Plain</b>")) == text("Plain")));
}

BOOST_AUTO_TEST_CASE(B2_what_a_person_wrote_in_brackets_stays) {
  auto const lens = comment().right;
  for (const char *const own : {"[Zoho CRM Plus: x]", "[Zoho CRMs]", "[Zoho CRM: x] y", "[CRM]"})
    BOOST_TEST((lens->get(text(own)) == text(own)));
}

BOOST_AUTO_TEST_CASE(D9_an_edit_keeps_the_author_line) {
  auto const lens = comment().right;
  BOOST_TEST((lens->put(text("Asked again"), text("[Zoho CRM: Mira &amp; Co]<br>Asked")) ==
              text("[Zoho CRM: Mira &amp; Co]<br>Asked again")));
  BOOST_TEST((lens->put(Value{}, text("[Zoho CRM: Mira]<br>Asked")) == text("[Zoho CRM: Mira]")));
  BOOST_TEST((lens->put(text("Asked again"), text("<i>Asked</i>")) == text("Asked again")));
  BOOST_TEST((lens->put(text("Asked"), text("[Zoho CRM: Mira]<br><b>Asked</b>")) ==
              text("[Zoho CRM: Mira]<br><b>Asked</b>")));
}

BOOST_AUTO_TEST_CASE(B9_what_was_put_is_what_the_other_side_sees) {
  auto const lens = comment().right;
  for (const char *const said : {"a", "a\nb", "[Zoho CRM: forged]\na", "<&>"}) {
    Value const put = lens->put(text(said), text("[Zoho CRM: Mira]<br>old"));
    BOOST_TEST((lens->get(put) == text(said)));
    BOOST_TEST((lens->put(lens->get(put), put) == put));
  }
}

BOOST_AUTO_TEST_CASE(B5_what_cannot_be_told_from_an_author_line_and_what_is_too_long_is_refused) {
  auto const lens = comment().right;
  BOOST_CHECK_EXCEPTION((void)lens->put(text("[Zoho CRM: forged]\na"), Value{}), Unmappable,
                        [](const Unmappable &why) { return why.reason == "not_representable"; });
  BOOST_CHECK_EXCEPTION((void)lens->put(std::string(201, 'x'), Value{}), Unmappable,
                        [](const Unmappable &why) { return why.reason == "text_too_long"; });
}

BOOST_AUTO_TEST_CASE(a_mapping_says_how_the_line_begins) {
  ConversionRequest request{.name = "comment",
                            .left = {"crm_note", "content", FieldType::text},
                            .right = {"projects_comment", "content", FieldType::html}};
  BOOST_CHECK_THROW((void)make_conversion(request, nullptr), Error);
  request.parameters = {{"author_line", "a]b"}};
  BOOST_CHECK_THROW((void)make_conversion(request, nullptr), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crm_bridge::core
