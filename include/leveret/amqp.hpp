// AMQP 0-9-1: everything a client needs.
#pragma once

#include "leveret/transport/amqp/channel.hpp"
#include "leveret/transport/amqp/connect.hpp"
#include "leveret/transport/amqp/connection.hpp"
#include "leveret/transport/amqp/consumer.hpp"
#include "leveret/transport/amqp/delivery.hpp"
#include "leveret/transport/amqp/publisher.hpp"
#include "leveret/transport/amqp/serve.hpp"
