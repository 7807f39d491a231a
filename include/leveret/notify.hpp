// Notifications over any transport, also with oslo.messaging on the other end: notifier and listener. Needs nlohmann-json.
#pragma once

#include "leveret/json.hpp"                // IWYU pragma: export
#include "leveret/notify/filter.hpp"       // IWYU pragma: export
#include "leveret/notify/listener.hpp"     // IWYU pragma: export
#include "leveret/notify/notification.hpp" // IWYU pragma: export
#include "leveret/notify/notifier.hpp"     // IWYU pragma: export
#include "leveret/notify/priority.hpp"     // IWYU pragma: export
