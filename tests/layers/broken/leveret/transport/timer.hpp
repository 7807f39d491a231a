// expect: names a timer
#pragma once
namespace asio { class steady_timer; }
