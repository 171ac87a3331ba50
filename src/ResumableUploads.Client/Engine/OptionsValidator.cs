using System.Net.Http.Headers;
using ResumableUploads.Client.Protocols;

namespace ResumableUploads.Client.Engine;

/// <summary>Rejects options that no request could have.</summary>
internal static class OptionsValidator
{
    public static void Validate(UploadOptions options)
    {
        Require(Enum.IsDefined(options.Protocol), nameof(options.Protocol), "is not defined");
        Require(Enum.IsDefined(options.Digest), nameof(options.Digest), "is not defined");
        Require(Enum.IsDefined(options.ChunkDigest), nameof(options.ChunkDigest), "is not defined");
        Require(options.Id is null or { Length: > 0 }, nameof(options.Id), "must not be empty");
        Require(options.ContentType is null || MediaTypeHeaderValue.TryParse(options.ContentType, out _), nameof(options.ContentType), "is not a media type");
        Require(options.Length is null or >= 0, nameof(options.Length), "must not be negative");
        Require(options.ChunkSize is null or > 0, nameof(options.ChunkSize), "must be positive");
        UploadRetryOptions retry = options.Retry;
        Require(retry.MaxRetries >= 0, $"{nameof(options.Retry)}.{nameof(retry.MaxRetries)}", "must not be negative");
        Require(retry.InitialDelay >= TimeSpan.Zero, $"{nameof(options.Retry)}.{nameof(retry.InitialDelay)}", "must not be negative");
        Require(retry.MaxDelay >= TimeSpan.Zero, $"{nameof(options.Retry)}.{nameof(retry.MaxDelay)}", "must not be negative");
        Require(retry.StallTimeout > TimeSpan.Zero || retry.StallTimeout == Timeout.InfiniteTimeSpan, $"{nameof(options.Retry)}.{nameof(retry.StallTimeout)}", "must be positive or infinite");
        foreach (string name in options.Request.Headers.Keys)
        {
            Require(!HeaderNames.IsReserved(name), $"{nameof(options.Request)}.{nameof(options.Request.Headers)}", $"must not have {name}, which the client sets");
        }

        foreach (string key in options.Request.Metadata.Keys)
        {
            Require(key.Length > 0 && key.All(static c => c is > ' ' and <= '~' and not ','), $"{nameof(options.Request)}.{nameof(options.Request.Metadata)}", "has an invalid key");
        }
    }

    private static void Require(bool isValid, string name, string problem)
    {
        if (!isValid)
        {
            throw new ArgumentException($"{nameof(UploadOptions)}.{name} {problem}.");
        }
    }
}
