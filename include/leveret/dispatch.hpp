/// Patterns and keys, and handlers for them. See dispatch, topic_pattern and key.
#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/dispatch/case.hpp"
#include "leveret/dispatch/dispatch.hpp"
#include "leveret/dispatch/signature.hpp"
#include "leveret/routing/key.hpp"
#include "leveret/routing/topic_algebra.hpp"
#include "leveret/routing/topic_automaton.hpp"
#include "leveret/routing/topic_pattern.hpp"
