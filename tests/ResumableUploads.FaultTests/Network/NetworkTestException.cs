namespace ResumableUploads.FaultTests.Network;

/// <summary>Thrown if the server reported something false or an upload did not complete.</summary>
internal sealed class NetworkTestException(string message) : Exception(message);
