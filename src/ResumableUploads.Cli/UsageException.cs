namespace ResumableUploads.Cli;

/// <summary>The exception for a command that cannot run. Its message is for the user.</summary>
internal sealed class UsageException(string message, Exception? innerException = null) : Exception(message, innerException);
