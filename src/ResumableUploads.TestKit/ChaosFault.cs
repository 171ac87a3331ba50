using System.Diagnostics;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>What goes wrong.</summary>
public sealed class ChaosFault
{
    private readonly Func<TimeProvider, CancellationToken, Task> _apply;

    private ChaosFault(Func<TimeProvider, CancellationToken, Task> come) => _apply = come;

    /// <summary>After how many bytes of the content the storage fails, and how; else null.</summary>
    internal (long Bytes, StoreFailure Failure)? PartialWriteLimit { get; private init; }

    /// <summary>The call ends in an <see cref="UploadStoreException"/>.</summary>
    /// <param name="failure">The reason in it.</param>
    public static ChaosFault Throw(StoreFailure failure) =>
        new((_, _) => throw new UploadStoreException(failure, "A fault that was planned."));

    /// <summary>The call takes longer.</summary>
    /// <param name="delay">By how much, on the clock of the <see cref="ChaosUploadStore"/>.</param>
    public static ChaosFault Delay(TimeSpan delay) => new((clock, token) => Task.Delay(delay, clock, token));

    /// <summary>The process is killed, as by <c>kill -9</c>.</summary>
    public static ChaosFault KillProcess() => new(static (_, _) =>
    {
        Process.GetCurrentProcess().Kill();
        return Task.CompletedTask;
    });

    /// <summary>
    /// For <see cref="ChaosOperation.Append"/>, <see cref="ChaosTiming.BeforeCall"/>: the store takes this many bytes of the content, then the call
    /// ends in an <see cref="UploadStoreException"/> that tells the offset which is there. A content with fewer bytes is appended as ever.
    /// </summary>
    /// <param name="length">How many bytes are taken.</param>
    /// <param name="failure">The reason in the exception.</param>
    public static ChaosFault PartialWrite(long length, StoreFailure failure)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new ChaosFault(static (_, _) => Task.CompletedTask) { PartialWriteLimit = (length, failure) };
    }

    internal Task ApplyAsync(TimeProvider clock, CancellationToken cancellationToken) => _apply(clock, cancellationToken);
}
