using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Engine.Appending;

/// <summary>The checks of an append that do not read its body, in the same order for all protocols.</summary>
internal static class AppendValidator
{
    /// <summary>Checks a command without the upload.</summary>
    /// <returns>The failure, or null if the command is valid.</returns>
    public static UploadResult? CheckCommand(AppendCommand command, EngineSettings settings)
    {
        long max = GetMaxUploadSize(command, settings);
        bool mayCreate = command.CreateIfMissing is not null;
        if (command.UploadLength > max || (mayCreate && command.UploadLength is null && command.BodyLength > max - command.Offset))
        {
            return new UploadResult(UploadResultKind.UploadTooLarge) { MaxUploadSize = max };
        }

        if (command.UploadLength is { } length && command.ImpliedLength is { } end && length != end)
        {
            return new UploadResult(UploadResultKind.LengthConflict);
        }

        if (mayCreate && command.BodyLength > command.MaxBodyLength)
        {
            return new UploadResult(UploadResultKind.AppendTooLarge);
        }

        // Checked before an upload is created or replaced. If the command can do neither, a missing upload and a wrong offset are reported first.
        return mayCreate && command.BodyLength > command.UploadLength - command.Offset
            ? new UploadResult(UploadResultKind.LengthExceeded) { UploadLength = command.UploadLength }
            : null;
    }

    /// <summary>Checks a command against an upload in state <see cref="UploadState.Receiving"/>.</summary>
    /// <returns>The failure, or null if the body may be appended.</returns>
    public static UploadResult? CheckAgainstUpload(AppendCommand command, UploadInfo info, EngineRecord record, EngineSettings settings)
    {
        if (!command.HasContentCodingOf(record))
        {
            return new UploadResult(UploadResultKind.ContentCodingMismatch, info.Offset) { Expires = info.Expires };
        }

        if (command.UploadLength is { } length && ((info.Length is { } known && known != length) || length < info.Offset))
        {
            return LengthConflict(info);
        }

        if (command.Offset != info.Offset)
        {
            return OffsetMismatch(command, info.Offset, info.Length) with { Expires = info.Expires };
        }

        // The limit of the upload can be lower than that of the request.
        if (info.Length is null && command.UploadLength > GetMaxUploadSize(command, settings))
        {
            return new UploadResult(UploadResultKind.UploadTooLarge, info.Offset) { MaxUploadSize = GetMaxUploadSize(command, settings), Expires = info.Expires };
        }

        // A digest binds the content from its announcement on, until the complete content is known not to match it.
        if (command.ReprDigest is { } digest && record.ReprDigest is { } announced && announced != digest.ToString() && record.ContentDigests?.Length != info.Offset)
        {
            return new UploadResult(UploadResultKind.ReprDigestMismatch, info.Offset) { UploadLength = info.Length, Expires = info.Expires };
        }

        // The implied length follows from the offset, so it is checked after the offset.
        if (command.ImpliedLength is { } end && info.Length is { } knownLength && end != knownLength)
        {
            return LengthConflict(info);
        }

        return GetRemainingCapacity(command, info, settings) is var capacity && command.BodyLength > capacity.Bytes
            ? new UploadResult(capacity.ExceededKind, info.Offset)
            {
                UploadLength = info.Length ?? command.UploadLength,
                MaxUploadSize = GetMaxUploadSize(command, settings),
                Expires = info.Expires,
            }
            : null;
    }

    /// <summary>Returns how many bytes the upload can still accept, and the result for a body that has more.</summary>
    public static (long Bytes, UploadResultKind ExceededKind) GetRemainingCapacity(AppendCommand command, UploadInfo? info, EngineSettings settings)
    {
        (long Bytes, UploadResultKind ExceededKind) capacity = (info?.Length ?? command.UploadLength) is { } length
            ? (length - (info?.Offset ?? 0), UploadResultKind.LengthExceeded)
            : (GetMaxUploadSize(command, settings) - (info?.Offset ?? 0), UploadResultKind.UploadTooLarge);
        return command.MaxBodyLength < capacity.Bytes ? (command.MaxBodyLength.Value, UploadResultKind.AppendTooLarge) : capacity;
    }

    /// <summary>Returns the maximum size of the upload, in bytes.</summary>
    public static long GetMaxUploadSize(AppendCommand command, EngineSettings settings) => command.MaxUploadSize ?? settings.MaxUploadSize;

    /// <summary>Returns the result for an append that does not preempt the running one, because that one would end at another offset.</summary>
    public static UploadResult CreateRefusal(AppendCommand command, UploadInfo? info)
    {
        long offset = info?.Offset ?? 0;

        // The running append has received bytes that are not durable yet. A client that gets its own offset back could not continue.
        return offset == command.Offset
            ? new UploadResult(UploadResultKind.Busy, offset)
            : OffsetMismatch(command, offset, info?.Length) with { Expires = info?.Expires };
    }

    public static UploadResult OffsetMismatch(AppendCommand command, long offset, long? length = null) =>
        new(UploadResultKind.OffsetMismatch, offset) { ProvidedOffset = command.Offset, UploadLength = length };

    /// <summary>Returns whether a body that ended for this reason completes the upload.</summary>
    public static bool CompletesUpload(CompletionRule rule, BodyEndReason endReason, long offset, long? length) =>
        endReason is not (BodyEndReason.LimitExceeded or BodyEndReason.QuotaExceeded) && rule switch
        {
            CompletionRule.AtLength => offset == length,
            CompletionRule.AtLengthOrFullBody => length is null ? endReason == BodyEndReason.EndOfBody : offset == length,
            CompletionRule.AtFullBody => endReason == BodyEndReason.EndOfBody && (length is null || offset == length),
            _ => false,
        };

    /// <summary>Returns whether the upload is complete if the whole body arrives, or may be because the length of the body is unknown.</summary>
    public static bool MayComplete(AppendCommand command, long? length) => command.BodyLength is { } bodyLength
        ? CompletesUpload(command.CompletionRule, BodyEndReason.EndOfBody, command.Offset + bodyLength, length)
        : command.CompletionRule != CompletionRule.Never;

    private static UploadResult LengthConflict(UploadInfo info) =>
        new(UploadResultKind.LengthConflict, info.Offset) { UploadLength = info.Length, Expires = info.Expires };
}
