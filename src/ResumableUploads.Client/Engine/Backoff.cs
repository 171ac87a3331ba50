using System.Net;
using System.Security.Cryptography;

namespace ResumableUploads.Client.Engine;

/// <summary>Waits before retries, and counts those without progress.</summary>
internal sealed class Backoff(UploadRetryOptions options, TimeProvider timeProvider)
{
    private const int MaxDoublings = 30;

    /// <summary>The maximum <c>Retry-After</c> that is used. A timer accepts at most 49 days.</summary>
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(1);
    private int _retries;

    /// <summary>Gets the number of retries since the last progress.</summary>
    public int Retries => _retries;

    /// <summary>Starts the count again after progress.</summary>
    public void Reset() => _retries = 0;

    /// <summary>Waits for the next retry. Returns false if none is left.</summary>
    public async Task<bool> WaitAsync(SendResult last, CancellationToken cancellationToken)
    {
        if (_retries >= options.MaxRetries)
        {
            return false;
        }

        TimeSpan delay = NextDelay();
        if (last.Response?.RetryAfter is { } retryAfter)
        {
            TimeSpan limited = retryAfter < MaxRetryAfter ? retryAfter : MaxRetryAfter;
            delay = limited > delay ? limited : delay;
        }

        _retries++;
        options.OnRetry?.Invoke(new UploadRetry(_retries, delay, (HttpStatusCode?)last.Response?.StatusCode, last.Interruption));
        await Task.Delay(delay, timeProvider, cancellationToken);
        return true;
    }

    private TimeSpan NextDelay()
    {
        double milliseconds = Math.Min(options.MaxDelay.TotalMilliseconds, options.InitialDelay.TotalMilliseconds * Math.Pow(2, Math.Min(_retries, MaxDoublings)));

        // Clients that have lost their server at the same time should not retry at the same time.
        double share = 0.5 + (RandomNumberGenerator.GetInt32(501) / 1000.0);
        return TimeSpan.FromMilliseconds(milliseconds * share);
    }
}
