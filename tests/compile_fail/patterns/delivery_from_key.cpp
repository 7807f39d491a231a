// expect: a handler takes the delivery or its body, and the dispatcher is given a routing key alone
#include <leveret/dispatch.hpp>

void handler(const std::string&) {}
void use()
{
    leveret::dispatch<leveret::on<"kern.*", handler>>().call("kern.info");
}
