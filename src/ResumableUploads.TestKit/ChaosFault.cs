using System.Diagnostics;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>A fault that <see cref="ChaosUploadStore"/> injects into a call.</summary>
public sealed class ChaosFault
{
    private readonly Func<TimeProvider, CancellationToken, Task> _apply;

    private ChaosFault(Func<TimeProvider, CancellationToken, Task> apply) => _apply = apply;

    /// <summary>Gets after how many bytes of the content the append fails, and with which failure, or null for other faults.</summary>
    internal (long Bytes, StoreFailure Failure)? PartialWriteLimit { get; private init; }

    /// <summary>Creates a fault that throws an <see cref="UploadStoreException"/>.</summary>
    /// <param name="failure">The failure in the exception.</param>
    /// <returns>The fault.</returns>
    public static ChaosFault Throw(StoreFailure failure) =>
        new((_, _) => throw new UploadStoreException(failure, "Injected fault."));

    /// <summary>Creates a fault that delays the call.</summary>
    /// <param name="delay">The delay, measured by the clock of the <see cref="ChaosUploadStore"/>.</param>
    /// <returns>The fault.</returns>
    public static ChaosFault Delay(TimeSpan delay) => new((timeProvider, cancellationToken) => Task.Delay(delay, timeProvider, cancellationToken));

    /// <summary>Creates a fault that kills the process, as <c>kill -9</c> does.</summary>
    /// <returns>The fault.</returns>
    public static ChaosFault KillProcess() => new(static (_, _) =>
    {
        Process.GetCurrentProcess().Kill();
        return Task.CompletedTask;
    });

    /// <summary>
    /// Creates a fault that ends an append early: the store appends some bytes, and the call then throws an <see cref="UploadStoreException"/> with
    /// the durable offset. Content that is not longer is appended without a fault. Used only with <see cref="ChaosOperation.Append"/> and
    /// <see cref="ChaosTiming.BeforeCall"/>.
    /// </summary>
    /// <param name="length">The number of bytes to append.</param>
    /// <param name="failure">The failure in the exception.</param>
    /// <returns>The fault.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative.</exception>
    public static ChaosFault PartialWrite(long length, StoreFailure failure)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new ChaosFault(static (_, _) => Task.CompletedTask) { PartialWriteLimit = (length, failure) };
    }

    internal Task ApplyAsync(TimeProvider timeProvider, CancellationToken cancellationToken) => _apply(timeProvider, cancellationToken);
}
