namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>After a loss of power a store does not have what it has acknowledged, or has what nobody sent.</summary>
public sealed class LawBrokenException(string message, Exception? inner = null) : Exception(message, inner);
