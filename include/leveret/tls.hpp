// AMQP over TLS: `amqps://` for clients, certificates for servers, hashed passwords. Needs OpenSSL (link ssl and crypto).
#pragma once

#include "leveret/tls/certificate.hpp"
#include "leveret/tls/connect.hpp"
#include "leveret/tls/context.hpp"
#include "leveret/tls/environment.hpp"
#include "leveret/tls/password_hash.hpp"
