// The parts of pages, as they are in this folder.
#pragma once

namespace lb::scenario::page {

// Of all pages, with the marks @TITLE@, @CSS@, @MAIN@, @DATA@ and @SCRIPT@.
extern const char* const kFrame;
extern const char* const kReportMain;
extern const char* const kCompareMain;

extern const char* const kCss;     // Of the charts and of all pages.
extern const char* const kCharts;  // What all pages are drawn with; goes before their own script.
extern const char* const kReportScript;
extern const char* const kCompareScript;

}  // namespace lb::scenario::page
