// expect: names a socket
#pragma once
namespace tcp { class socket; }
using leveret_socket = tcp::socket*;
