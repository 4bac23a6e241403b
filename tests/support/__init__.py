"""What tests stand on: throwaway servers, one environment per test module, and conditions to wait for."""
