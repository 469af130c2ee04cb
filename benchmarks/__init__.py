"""What is claimed about speed and size, as programs. Run as: python -m benchmarks [--quick] [NAME ...]"""
