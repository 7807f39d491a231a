// expect: a handler takes the delivery by value: give it to the dispatcher with std::move
#include <leveret/dispatch.hpp>
#include <leveret/memory.hpp>

void handler(leveret::memory::delivery) {}
void use(leveret::memory::delivery& delivery)
{
    leveret::dispatch<leveret::on<"kern.*", handler>>().call(delivery);
}
