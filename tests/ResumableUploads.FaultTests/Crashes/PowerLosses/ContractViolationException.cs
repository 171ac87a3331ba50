namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>Thrown if a store lacks acknowledged data after a power loss, or has data that was never sent.</summary>
public sealed class ContractViolationException(string message, Exception? inner = null) : Exception(message, inner);
