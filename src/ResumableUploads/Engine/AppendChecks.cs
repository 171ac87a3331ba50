using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine;

/// <summary>What can be said about an append without touching its body, in one order for every protocol.</summary>
internal static class AppendChecks
{
    /// <summary>Checks that need no upload. Null: nothing against it.</summary>
    public static UploadOutcome? Before(AppendCommand command, EngineSettings settings)
    {
        long max = MaxSize(command, settings);
        bool mayCreate = command.Creation is not null;
        if (command.UploadLength > max || (mayCreate && command.UploadLength is null && command.BodyLength > max - command.Offset))
        {
            return new UploadOutcome(OutcomeKind.TooLarge) { MaxSize = max };
        }

        if (command.UploadLength is { } stated && command.LengthAtEnd is { } end && stated != end)
        {
            return new UploadOutcome(OutcomeKind.LengthConflict);
        }

        if (mayCreate && command.BodyLength > command.MaxBodyLength)
        {
            return new UploadOutcome(OutcomeKind.AppendTooLarge);
        }

        // Before an upload is made for it, or one that is there is thrown away for it. Where neither can be, the upload itself says first
        // whether it is there and whether the offset is right.
        return mayCreate && command.BodyLength > command.UploadLength - command.Offset
            ? new UploadOutcome(OutcomeKind.LengthExceeded) { UploadLength = command.UploadLength }
            : null;
    }

    /// <summary>Checks against an upload that is still receiving. Null: nothing against it.</summary>
    public static UploadOutcome? Against(AppendCommand command, UploadInfo info, EngineSettings settings)
    {
        if (command.UploadLength is { } stated && ((info.Length is { } known && known != stated) || stated < info.Offset))
        {
            return Conflict(info);
        }

        if (command.Offset != info.Offset)
        {
            return Mismatch(command, info.Offset, info.Length) with { Expires = info.Expires };
        }

        // Where a body would end says something only from the right offset.
        if (command.LengthAtEnd is { } end && info.Length is { } length && end != length)
        {
            return Conflict(info);
        }

        return Room(command, info, settings) is var room && command.BodyLength > room.Bytes
            ? new UploadOutcome(room.Kind, info.Offset)
            {
                UploadLength = info.Length ?? command.UploadLength,
                MaxSize = MaxSize(command, settings),
                Expires = info.Expires,
            }
            : null;
    }

    /// <summary>How many bytes the upload may still take, and what to say to more.</summary>
    public static (long Bytes, OutcomeKind Kind) Room(AppendCommand command, UploadInfo? info, EngineSettings settings)
    {
        (long Bytes, OutcomeKind Kind) room = (info?.Length ?? command.UploadLength) is { } length
            ? (length - (info?.Offset ?? 0), OutcomeKind.LengthExceeded)
            : (MaxSize(command, settings) - (info?.Offset ?? 0), OutcomeKind.TooLarge);
        return command.MaxBodyLength < room.Bytes ? (command.MaxBodyLength.Value, OutcomeKind.AppendTooLarge) : room;
    }

    /// <summary>The most bytes that the upload of a command may have.</summary>
    public static long MaxSize(AppendCommand command, EngineSettings settings) => command.MaxUploadSize ?? settings.MaxUploadSize;

    private static UploadOutcome Conflict(UploadInfo info) =>
        new(OutcomeKind.LengthConflict, info.Offset) { UploadLength = info.Length, Expires = info.Expires };

    public static UploadOutcome Mismatch(AppendCommand command, long offset, long? length = null) =>
        new(OutcomeKind.OffsetMismatch, offset) { ProvidedOffset = command.Offset, UploadLength = length };

    /// <summary>Whether the upload is finished when its content ended like this.</summary>
    public static bool Completes(CompletionRule rule, Content.ContentEnd end, long offset, long? length) =>
        end != Content.ContentEnd.Overshoot && rule switch
        {
            CompletionRule.AtLength => offset == length,
            CompletionRule.AtLengthOrWholeBody => length is null ? end == Content.ContentEnd.Whole : offset == length,
            CompletionRule.AtWholeBody => end == Content.ContentEnd.Whole && (length is null || offset == length),
            _ => false,
        };
}
