// What the registration and the gradings of a run file are dated with.
#pragma once

#include <string>

namespace assay {

std::string now_utc();  // "2026-01-01T12:00:00Z"

}  // namespace assay
