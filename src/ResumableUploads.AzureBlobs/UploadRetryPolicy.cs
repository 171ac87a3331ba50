using Azure.Core;
using Azure.Core.Pipeline;

namespace ResumableUploads.AzureBlobs;

/// <summary>Retries all requests but those that append a block or delete a blob: after a lost response, the store reads the blob to find out what has happened.</summary>
internal sealed class UploadRetryPolicy() : RetryPolicy(MaxRetries, DelayStrategy.CreateExponentialDelayStrategy(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5)))
{
    private const int MaxRetries = 3;

    protected override bool ShouldRetry(HttpMessage message, Exception? exception) => !IsResolvedByStore(message) && base.ShouldRetry(message, exception);

    protected override ValueTask<bool> ShouldRetryAsync(HttpMessage message, Exception? exception) =>
        IsResolvedByStore(message) ? ValueTask.FromResult(false) : base.ShouldRetryAsync(message, exception);

    private static bool IsResolvedByStore(HttpMessage message) =>
        message.Request.Method == RequestMethod.Delete || message.Request.Uri.Query.Contains("comp=appendblock", StringComparison.OrdinalIgnoreCase);
}
