using Microsoft.Extensions.Options;

namespace ResumableUploads;

/// <summary>Says at start which option is wrong, by the name under which it is set.</summary>
internal sealed class ResumableUploadOptionsValidator : IValidateOptions<ResumableUploadOptions>
{
    /// <summary>Timers cannot wait longer; more than this is meant as "for ever" and says so.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    private static readonly TimeSpan ShortestLease = TimeSpan.FromMilliseconds(3);

    public ValidateOptionsResult Validate(string? name, ResumableUploadOptions options)
    {
        var failures = new List<string>();
        Path(failures, nameof(options.UploadPath), options.UploadPath);
        if (options.StatusPath is not null)
        {
            Path(failures, nameof(options.StatusPath), options.StatusPath);
        }

        if (string.Equals(options.UploadPath, options.StatusPath, StringComparison.OrdinalIgnoreCase))
        {
            failures.Add(Named(nameof(options.StatusPath), "is the same as UploadPath. Set it to null: the upload path answers status requests by itself."));
        }

        if (string.IsNullOrWhiteSpace(options.Directory))
        {
            failures.Add(Named(nameof(options.Directory), "is empty."));
        }

        Positive(failures, nameof(options.SyncSize), options.SyncSize);
        Positive(failures, nameof(options.MaxUploadSize), options.MaxUploadSize);
        Positive(failures, nameof(options.MaxAppendSize), options.MaxAppendSize ?? long.MaxValue);
        Between(failures, nameof(options.MinUploadSize), options.MinUploadSize, options.MaxUploadSize, nameof(options.MaxUploadSize));
        Between(failures, nameof(options.MinAppendSize), options.MinAppendSize, options.MaxAppendSize ?? options.MaxUploadSize, nameof(options.MaxAppendSize));
        Positive(failures, nameof(options.MaxUploadsPerOwner), options.MaxUploadsPerOwner);
        Positive(failures, nameof(options.MaxBytesPerOwner), options.MaxBytesPerOwner);
        Positive(failures, nameof(options.MaxAppendsPerOwner), options.MaxAppendsPerOwner);
        Positive(failures, nameof(options.HandlerAttempts), options.HandlerAttempts);
        if (options.MaxStoredAnswerSize is < 0 or > 512 * 1024)
        {
            failures.Add(Named(nameof(options.MaxStoredAnswerSize), $"is {options.MaxStoredAnswerSize}. It has to be from 0 to 524288."));
        }

        foreach (string header in options.StoredHeaders.Where(StoredHeaders.IsNeverStored))
        {
            failures.Add(Named(nameof(options.StoredHeaders), $"has '{header}', which is about one connection or one person's login. Remove it."));
        }

        if (options.HandlerLease < ShortestLease && options.HandlerLease > TimeSpan.Zero)
        {
            failures.Add(Named(nameof(options.HandlerLease), $"is {options.HandlerLease}. It has to be at least {ShortestLease.TotalMilliseconds} ms: it is renewed three times in that time."));
        }

        if (options.MinRate < 0)
        {
            failures.Add(Named(nameof(options.MinRate), "is negative. Use 0 for no lowest rate."));
        }

        Timer(failures, nameof(options.SyncInterval), options.SyncInterval);
        Timer(failures, nameof(options.IdleTimeout), options.IdleTimeout);
        Timer(failures, nameof(options.MinRateWindow), options.MinRateWindow);
        Timer(failures, nameof(options.TakeoverTimeout), options.TakeoverTimeout);
        Timer(failures, nameof(options.AppendGrace), options.AppendGrace);
        Timer(failures, nameof(options.HandlerLease), options.HandlerLease);
        Timer(failures, nameof(options.CompletionWait), options.CompletionWait);
        Timer(failures, nameof(options.ProgressInterval), options.ProgressInterval);
        Timer(failures, nameof(options.SweepInterval), options.SweepInterval);
        Span(failures, nameof(options.Expiration), options.Expiration);
        Span(failures, nameof(options.MaxAge), options.MaxAge);
        Span(failures, nameof(options.CompletedRetention), options.CompletedRetention);
        Known(failures, nameof(options.Durability), options.Durability);
        Known(failures, nameof(options.AnonymousOwner), options.AnonymousOwner);
        Known(failures, nameof(options.OnRepeat), options.OnRepeat);
        Known(failures, nameof(options.InterimResponses), options.InterimResponses);
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    private static string Named(string option, string what) => $"ResumableUploads:{option} {what}";

    private static void Path(List<string> failures, string option, string? path)
    {
        if (string.IsNullOrEmpty(path) || path[0] != '/' || path.AsSpan().TrimEnd('/').IsEmpty)
        {
            failures.Add(Named(option, $"is '{path}'. A path begins with '/' and has at least one other character after it."));
        }
    }

    private static void Positive(List<string> failures, string option, long value)
    {
        if (value <= 0)
        {
            failures.Add(Named(option, $"is {value}. It has to be above 0."));
        }
    }

    private static void Between(List<string> failures, string option, long value, long most, string limit)
    {
        // A limit that is wrong itself is told by its own name.
        if (value < 0 || value > Math.Max(most, 0))
        {
            failures.Add(Named(option, $"is {value}. It has to be from 0 to {most}, as {limit} is."));
        }
    }

    private static void Timer(List<string> failures, string option, TimeSpan value)
    {
        if (value <= TimeSpan.Zero || value > LongestTimer)
        {
            failures.Add(Named(option, $"is {value}. It has to be above 0, and at most {LongestTimer.Days} days."));
        }
    }

    private static void Span(List<string> failures, string option, TimeSpan value)
    {
        if (value <= TimeSpan.Zero)
        {
            failures.Add(Named(option, $"is {value}. It has to be above 0."));
        }
    }

    private static void Known<T>(List<string> failures, string option, T value) where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            failures.Add(Named(option, $"is {value}. Use one of: {string.Join(", ", Enum.GetNames<T>())}."));
        }
    }
}
