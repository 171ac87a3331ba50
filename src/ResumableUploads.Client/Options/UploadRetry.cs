using System.Net;

namespace ResumableUploads.Client;

/// <summary>A retry that is about to happen.</summary>
/// <param name="Attempt">The number of the retry, counted from 1 after each progress.</param>
/// <param name="Delay">The time until the retry.</param>
/// <param name="StatusCode">The status code that caused the retry, or <see langword="null"/> if there was no response.</param>
/// <param name="Exception">The exception that caused the retry, or <see langword="null"/> if there was a response.</param>
public sealed record UploadRetry(int Attempt, TimeSpan Delay, HttpStatusCode? StatusCode, Exception? Exception);
