#include "base/xml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pawl {
namespace {

using testing::ElementsAre;

std::vector<std::string> read(std::string_view document) {
  std::vector<std::string> seen;
  const auto status = read_xml(document, [&](std::string_view path, std::string_view text) {
    seen.push_back(std::string(path) + "=" + std::string(text));
  });
  if (!status.ok()) return {"error"};
  return seen;
}

TEST(XmlReader, ReadsWhatS3Answers) {
  EXPECT_THAT(read("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>"
                   "<Key>a &amp; b</Key><Empty/></Error>\n"),
              ElementsAre("Error/Code=NoSuchKey", "Error/Key=a & b", "Error/Empty=", "Error="));
  EXPECT_THAT(
      read("<R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\" x='1' ><K>1</K><K>2</K></R >"),
      ElementsAre("R/K=1", "R/K=2", "R="));
  EXPECT_THAT(read("<a>&lt;&#x65e5;&#26412;&quot;&apos;&gt;</a>"),
              ElementsAre("a=<\xe6\x97\xa5\xe6\x9c\xac\"'>"));
  EXPECT_THAT(read("<!-- x --><a><!-- <b> -->t</a>"), ElementsAre("a=t"));
}

TEST(XmlReader, RefusesEverythingElse) {
  for (const std::string document : {"",
                                     " ",
                                     "text",
                                     "<a>",
                                     "<a><b></a></b>",
                                     "</a>",
                                     "<a></a><b></b>",
                                     "<a>&nbsp;</a>",
                                     "<a>&#0;</a>",
                                     "<a>&#xD800;</a>",
                                     "<a>&#x110000;</a>",
                                     "<a>&</a>",
                                     "<a x></a>",
                                     "<a x=1></a>",
                                     "<a x=\"1></a>",
                                     "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
                                     "<a><![CDATA[x]]></a>",
                                     "<a><?php ?></a>",
                                     "<a",
                                     "<a/",
                                     "<a></a",
                                     "<></>",
                                     "<a>&amp</a>",
                                     "{\"a\": 1}"}) {
    EXPECT_THAT(read(document), ElementsAre("error")) << document;
  }
  const std::string name(kXmlNameMax + 1, 'n');
  EXPECT_THAT(read("<" + name + "/>"), ElementsAre("error"));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_THAT(read(deep).back(), "error");
}

TEST(XmlReader, NestsUpToItsBound) {
  std::string document;
  for (std::size_t i = 0; i < kXmlDepthMax; ++i) document = "<a>" + document + "</a>";
  EXPECT_EQ(read(document).size(), kXmlDepthMax);
  EXPECT_THAT(read("<a>" + document + "</a>").back(), "error");
}

}  // namespace
}  // namespace pawl
