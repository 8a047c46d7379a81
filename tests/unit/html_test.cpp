// SPDX-License-Identifier: PostgreSQL
#include "core/html.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "random.hpp"

namespace core = crm_bridge::core;
namespace data = boost::unit_test::data;
using crm_bridge::test::Random;

namespace {

struct Page {
  std::string html;
  std::string plain;
};
std::ostream &operator<<(std::ostream &out, const Page &page) { return out << page.html; }

const std::vector<Page> pages{
    {"", ""},
    {"plain", "plain"},
    {"<p>one</p><p>two</p>", "one\ntwo"},
    {"<div>a</div><div><br></div><div>b</div>", "a\n\nb"},
    {"<div><div>a</div></div><div>b</div>", "a\nb"},
    {"a<div>b</div>c", "a\nb\nc"},
    {"a<br>b<BR/>c<br />d", "a\nb\nc\nd"},
    {"<h1>Title</h1>text", "Title\ntext"},
    {"<ul><li>milk</li><li> eggs </li></ul>after", "- milk\n- eggs\nafter"},
    {"<ul><li><p>milk</p></li><li></li><li>eggs</ul>", "- milk\n-\n- eggs"},
    {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
    {"<b>bo</b>ld", "bold"},
    {"  folded \n\t white   space  ", "folded white space"},
    {"a <b> b</b>", "a b"},
    {"a&nbsp;&nbsp;b", "a\u00A0\u00A0b"},
    {"&lt;b&gt; &amp;amp; &quot;q&quot; &apos;", "<b> &amp; \"q\" '"},
    {"&euro;&#8364;&#x20ac;&#X20AC;&#128;", "€€€€€"},
    {"&Alpha;&alpha;&thetasym;", "Αα\u03D1"},
    {"&#0;&#xD800;&#x110000;&#99999999999999999999;", "\uFFFD\uFFFD\uFFFD\uFFFD"},
    {"&#128512;", "😀"},
    {"&unknown; & &; &#; &#x; &#12 &amp", "&unknown; & &; &#; &#x; &#12 &amp"},
    {"a<script>if (a < b) alert('</p>')</script>b", "ab"},
    {"a<STYLE>p { color: red }</Style >b", "ab"},
    {"a<!-- <p>not shown</p> -->b", "ab"},
    {"a<!-- never closed", "a"},
    {"a<script>never closed", "a"},
    {"<a title=\"x > y\" href='>'>link</a>", "link"},
    {"5 < 6 and 7 <8 <3", "5 < 6 and 7 <8 <3"},
    {"<!doctype html><?xml version='1.0'?><html><head><title>t</title></head><body>x</body></html>",
     "x"},
    {"</>a</3>b", "ab"},
    {"it's <i class=it's>fine</i>", "it's fine"},
    {"<p>one</p>\n\n<p>two</p>\n", "one\ntwo"},
    {"<br><br>a<br><br>", "\n\na"},
    {"Grüße<br>東京", "Grüße\n東京"},
};

const std::vector<std::string> hostile_pieces{
    "<",   "<!--", "<a ",   "<a b=\"", "</",       "&",        "&#", "&#1",
    "<p>", "<li>", "<div>", "<br>",    "<script>", "</script", "\n", "&amp;"};

}  // namespace

BOOST_AUTO_TEST_SUITE(html)

BOOST_DATA_TEST_CASE(html_reads_as_a_person_reads_it, data::make(pages)) {
  BOOST_TEST(core::html_to_plain(sample.html) == sample.plain);
}

BOOST_AUTO_TEST_CASE(plain_text_becomes_markup_that_shows_it) {
  BOOST_TEST(core::plain_to_html("a < b & \"c\" > d") == "a &lt; b &amp; &quot;c&quot; &gt; d");
  BOOST_TEST(core::plain_to_html("one\ntwo\r\nthree\rfour") == "one<br>two<br>three<br>four");
  BOOST_TEST(core::html_to_plain(core::plain_to_html("<script>alert(1)</script>\n\n&amp;")) ==
             "<script>alert(1)</script>\n\n&amp;");
}

BOOST_AUTO_TEST_CASE(what_html_shows_is_a_fixed_point_of_the_round_trip) {
  Random random("html fixed point");
  for (int i = 0; i < 30'000; ++i) {
    const std::string html = i % 2 == 0 ? random.html() : core::plain_to_html(random.text());
    const std::string plain = core::html_to_plain(html);
    const std::string again = core::html_to_plain(core::plain_to_html(plain));
    if (again != plain)
      BOOST_FAIL("\"" << html << "\" shows \"" << plain << "\", then \"" << again << "\"");
  }
}

// Quadratic work on a few megabytes would take minutes, recursion would crash.
BOOST_DATA_TEST_CASE(hostile_markup_costs_no_more_than_its_length, data::make(hostile_pieces)) {
  std::string html;
  while (html.size() < 2'000'000) html += sample;
  const std::string plain = core::html_to_plain(html);
  BOOST_TEST(plain.size() <= html.size());
  BOOST_TEST((core::html_to_plain(core::plain_to_html(plain)) == plain));
}

BOOST_AUTO_TEST_SUITE_END()
