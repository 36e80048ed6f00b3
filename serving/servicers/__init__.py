"""The five services: check, convert, call, convert. And what lies between gRPC and them."""
