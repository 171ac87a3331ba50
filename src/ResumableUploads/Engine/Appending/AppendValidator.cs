using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Content;

namespace ResumableUploads.Engine.Appending;

/// <summary>What can be said about an append without touching its body, in one order for every protocol.</summary>
internal static class AppendValidator
{
    /// <summary>Checks that need no upload. Null: nothing against it.</summary>
    public static UploadResult? CheckCommand(AppendCommand command, EngineSettings settings)
    {
        long max = GetMaxUploadSize(command, settings);
        bool mayCreate = command.CreateIfMissing is not null;
        if (command.UploadLength > max || (mayCreate && command.UploadLength is null && command.BodyLength > max - command.Offset))
        {
            return new UploadResult(UploadResultKind.UploadTooLarge) { MaxUploadSize = max };
        }

        if (command.UploadLength is { } stated && command.ImpliedLength is { } end && stated != end)
        {
            return new UploadResult(UploadResultKind.LengthConflict);
        }

        if (mayCreate && command.BodyLength > command.MaxBodyLength)
        {
            return new UploadResult(UploadResultKind.AppendTooLarge);
        }

        // Before an upload is made for it, or one that is there is thrown away for it. Where neither can be, the upload itself says first
        // whether it is there and whether the offset is right.
        return mayCreate && command.BodyLength > command.UploadLength - command.Offset
            ? new UploadResult(UploadResultKind.LengthExceeded) { UploadLength = command.UploadLength }
            : null;
    }

    /// <summary>Checks against an upload that is still receiving. Null: nothing against it.</summary>
    public static UploadResult? CheckAgainstUpload(AppendCommand command, UploadInfo info, EngineSettings settings)
    {
        if (command.UploadLength is { } stated && ((info.Length is { } known && known != stated) || stated < info.Offset))
        {
            return LengthConflict(info);
        }

        if (command.Offset != info.Offset)
        {
            return OffsetMismatch(command, info.Offset, info.Length) with { Expires = info.Expires };
        }

        // Where a body would end says something only from the right offset.
        if (command.ImpliedLength is { } end && info.Length is { } length && end != length)
        {
            return LengthConflict(info);
        }

        return GetRemainingCapacity(command, info, settings) is var room && command.BodyLength > room.Bytes
            ? new UploadResult(room.Kind, info.Offset)
            {
                UploadLength = info.Length ?? command.UploadLength,
                MaxUploadSize = GetMaxUploadSize(command, settings),
                Expires = info.Expires,
            }
            : null;
    }

    /// <summary>How many bytes the upload may still take, and what to say to more.</summary>
    public static (long Bytes, UploadResultKind Kind) GetRemainingCapacity(AppendCommand command, UploadInfo? info, EngineSettings settings)
    {
        (long Bytes, UploadResultKind Kind) room = (info?.Length ?? command.UploadLength) is { } length
            ? (length - (info?.Offset ?? 0), UploadResultKind.LengthExceeded)
            : (GetMaxUploadSize(command, settings) - (info?.Offset ?? 0), UploadResultKind.UploadTooLarge);
        return command.MaxBodyLength < room.Bytes ? (command.MaxBodyLength.Value, UploadResultKind.AppendTooLarge) : room;
    }

    /// <summary>The most bytes that the upload of a command may have.</summary>
    public static long GetMaxUploadSize(AppendCommand command, EngineSettings settings) => command.MaxUploadSize ?? settings.MaxUploadSize;

    private static UploadResult LengthConflict(UploadInfo info) =>
        new(UploadResultKind.LengthConflict, info.Offset) { UploadLength = info.Length, Expires = info.Expires };

    public static UploadResult OffsetMismatch(AppendCommand command, long offset, long? length = null) =>
        new(UploadResultKind.OffsetMismatch, offset) { ProvidedOffset = command.Offset, UploadLength = length };

    /// <summary>Whether the upload is finished when its content ended like this.</summary>
    public static bool CompletesUpload(CompletionRule rule, BodyEndReason end, long offset, long? length) =>
        end != BodyEndReason.LimitExceeded && rule switch
        {
            CompletionRule.AtLength => offset == length,
            CompletionRule.AtLengthOrFullBody => length is null ? end == BodyEndReason.EndOfBody : offset == length,
            CompletionRule.AtFullBody => end == BodyEndReason.EndOfBody && (length is null || offset == length),
            _ => false,
        };
}
