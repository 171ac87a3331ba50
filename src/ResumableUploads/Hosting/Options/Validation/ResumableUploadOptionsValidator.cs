using Microsoft.Extensions.Options;
using ResumableUploads.Hosting.Endpoints.Execution;
using ResumableUploads.Hosting.Endpoints.Execution.Responses;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Stores.FileSystem;

namespace ResumableUploads.Hosting.Options.Validation;

/// <summary>Validates <see cref="ResumableUploadOptions"/>. Failures name the option by its configuration key.</summary>
internal sealed class ResumableUploadOptionsValidator : IValidateOptions<ResumableUploadOptions>
{
    /// <summary>The maximum due time of a <see cref="Timer"/>, in whole days.</summary>
    private static readonly TimeSpan MaxTimer = TimeSpan.FromDays(49);

    /// <summary>The minimum of intervals at which the server would otherwise do little else than check.</summary>
    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    /// <summary>The lease is renewed three times per duration, and timers have a resolution of 1 ms.</summary>
    private static readonly TimeSpan MinLease = TimeSpan.FromMilliseconds(3);

    public ValidateOptionsResult Validate(string? name, ResumableUploadOptions options)
    {
        var checks = new OptionChecks();
        Paths(checks, options);
        checks.Positive(nameof(options.MaxUploadSize), options.MaxUploadSize);
        checks.Positive(nameof(options.Expiration), options.Expiration);
        checks.Defined(nameof(options.AnonymousOwner), options.AnonymousOwner);
        if (options.VolatileQueryParameters.Any(static name => string.IsNullOrEmpty(name) || name.Equals(UploadUrl.QueryParameterName, StringComparison.OrdinalIgnoreCase)))
        {
            checks.Fail(nameof(options.VolatileQueryParameters), $"contains an empty name or '{UploadUrl.QueryParameterName}', which identifies the upload. Remove it.");
        }

        Limits(checks.In(nameof(options.Limits)), options.Limits);
        Timeouts(checks.In(nameof(options.Timeouts)), options.Timeouts);
        Handler(checks.In(nameof(options.Handler)), options.Handler);
        Ietf(checks.In(nameof(options.Ietf)), options.Ietf, options.MaxUploadSize, options.Limits.MaxAppendSize ?? options.MaxUploadSize);
        FileSystem(checks.In(nameof(options.FileSystem)), options.FileSystem);
        return checks.Failures.Count > 0 ? ValidateOptionsResult.Fail(checks.Failures) : ValidateOptionsResult.Success;
    }

    private static void Paths(OptionChecks checks, ResumableUploadOptions options)
    {
        checks.Path(nameof(options.UploadPath), options.UploadPath);
        if (options.StatusPath is not null)
        {
            checks.Path(nameof(options.StatusPath), options.StatusPath);
        }

        if (string.Equals(options.UploadPath?.TrimEnd('/'), options.StatusPath?.TrimEnd('/'), StringComparison.OrdinalIgnoreCase))
        {
            checks.Fail(nameof(options.StatusPath), "is the same as UploadPath. Set it to null: the upload path also answers status requests.");
        }

        if (options.Directory is { } directory)
        {
            checks.Directory(nameof(options.Directory), directory);
        }
    }

    private static void Limits(OptionChecks checks, ResumableUploadLimits limits)
    {
        checks.Positive(nameof(limits.MaxUploadsPerOwner), limits.MaxUploadsPerOwner);
        checks.Positive(nameof(limits.MaxBytesPerOwner), limits.MaxBytesPerOwner);
        checks.Positive(nameof(limits.MaxAppendsPerOwner), limits.MaxAppendsPerOwner);
        checks.Positive(nameof(limits.AnonymousTotalFactor), limits.AnonymousTotalFactor);
        checks.Positive(nameof(limits.MaxAppendSize), limits.MaxAppendSize ?? long.MaxValue);
        if (limits.MinDataRate < 0)
        {
            checks.Fail(nameof(limits.MinDataRate), "is negative. Use 0 for no minimum data rate.");
        }

        checks.Timer(nameof(limits.MinDataRatePeriod), limits.MinDataRatePeriod, MaxTimer, OneSecond);
    }

    private static void Timeouts(OptionChecks checks, ResumableUploadTimeouts timeouts)
    {
        checks.Timer(nameof(timeouts.IdleTimeout), timeouts.IdleTimeout, MaxTimer, OneSecond);
        checks.Timer(nameof(timeouts.PreemptionTimeout), timeouts.PreemptionTimeout, MaxTimer);
        checks.Timer(nameof(timeouts.AppendGracePeriod), timeouts.AppendGracePeriod, MaxTimer);
        checks.Timer(nameof(timeouts.SweepInterval), timeouts.SweepInterval, MaxTimer, OneSecond);
        checks.Timer(nameof(timeouts.EventTimeout), timeouts.EventTimeout, MaxTimer);
        checks.Timer(nameof(timeouts.ProgressInterval), timeouts.ProgressInterval, MaxTimer);
        checks.Positive(nameof(timeouts.MaxAge), timeouts.MaxAge);
        checks.Positive(nameof(timeouts.CompletedRetention), timeouts.CompletedRetention);
    }

    private static void Handler(OptionChecks checks, ResumableUploadHandlerOptions handler)
    {
        checks.Positive(nameof(handler.MaxAttempts), handler.MaxAttempts);
        if (handler.RetryDelay < TimeSpan.Zero || handler.RetryDelay > MaxTimer)
        {
            checks.Fail(nameof(handler.RetryDelay), $"is {handler.RetryDelay}. It must be at least 0 and at most {MaxTimer.Days} days.");
        }

        checks.Timer(nameof(handler.MaxRetryDelay), handler.MaxRetryDelay, MaxTimer);
        if (handler.LeaseDuration > TimeSpan.Zero && handler.LeaseDuration < MinLease)
        {
            checks.Fail(nameof(handler.LeaseDuration), $"is {handler.LeaseDuration}. It must be at least {MinLease.TotalMilliseconds} ms.");
        }

        checks.Timer(nameof(handler.LeaseDuration), handler.LeaseDuration, MaxTimer);
        checks.Timer(nameof(handler.CompletionTimeout), handler.CompletionTimeout, MaxTimer);
        if (handler.MaxStoredResponseSize is < 0 or > 512 * 1024)
        {
            checks.Fail(nameof(handler.MaxStoredResponseSize), $"is {handler.MaxStoredResponseSize}. It must be between 0 and 524288.");
        }

        foreach (string header in handler.StoredHeaders.Where(StoredHeaderFilter.IsNeverStored))
        {
            checks.Fail(nameof(handler.StoredHeaders), $"contains '{header}', which belongs to one connection or one user's sign-in. Remove it.");
        }

        checks.Defined(nameof(handler.RepeatBehavior), handler.RepeatBehavior);
    }

    private static void Ietf(OptionChecks checks, ResumableUploadIetfOptions ietf, long maxUploadSize, long maxAppendSize)
    {
        checks.Between(nameof(ietf.MinUploadSize), ietf.MinUploadSize, maxUploadSize, nameof(ResumableUploadOptions.MaxUploadSize));
        checks.Between(nameof(ietf.MinAppendSize), ietf.MinAppendSize, maxAppendSize, "Limits:MaxAppendSize or MaxUploadSize");
        checks.Defined(nameof(ietf.InterimResponses), ietf.InterimResponses);
    }

    private static void FileSystem(OptionChecks checks, ResumableUploadFileSystemOptions fileSystem)
    {
        checks.Positive(nameof(fileSystem.SyncSize), fileSystem.SyncSize);
        checks.Timer(nameof(fileSystem.SyncInterval), fileSystem.SyncInterval, MaxTimer);
        checks.Between(nameof(fileSystem.MaxThreads), fileSystem.MaxThreads, FileSystemUploadStoreOptions.MinMaxThreads, FileSystemUploadStoreOptions.MaxMaxThreads);
        checks.Defined(nameof(fileSystem.Durability), fileSystem.Durability);
    }
}
