/// Exchanges, queues and bindings as types: checked when compiled, declared, verified, published to, drawn. See
/// leveret::topology.
#pragma once

#include "leveret/topology/drawing.hpp"
#include "leveret/topology/topology.hpp"
#include "leveret/typed/declare.hpp"
#include "leveret/typed/publish.hpp"
#include "leveret/typed/verify.hpp"
