// JSON as bodies of messages, on nlohmann-json (3.10 or newer), which the program must have: no other header of this
// library includes it but those of rpc and notify.
#pragma once

#include "leveret/json/codec.hpp"   // IWYU pragma: export
#include "leveret/json/convert.hpp" // IWYU pragma: export
#include "leveret/json/members.hpp" // IWYU pragma: export
#include "leveret/json/value.hpp"   // IWYU pragma: export
