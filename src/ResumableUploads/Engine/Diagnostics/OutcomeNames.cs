using System.Text;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Diagnostics;

/// <summary>The values of attributes: the names of enumeration members in snake case, created once.</summary>
internal static class OutcomeNames
{
    private static readonly string[] Results = Create<UploadResultKind>();
    private static readonly string[] Failures = Create<StoreFailure>();
    private static readonly string[] States = Create<UploadState>();

    public static string Of(UploadResultKind kind) => Results[(int)kind];

    public static string Of(StoreFailure failure) => (uint)failure < (uint)Failures.Length ? Failures[(int)failure] : "other";

    public static string Of(UploadState state) => States[(int)state];

    /// <summary>Returns whether a result is a fault of the server, and not of the client or its connection.</summary>
    public static bool IsServerFault(UploadResultKind kind) => kind is UploadResultKind.StorageFailed or UploadResultKind.StorageFull
        or UploadResultKind.HandlerFailed or UploadResultKind.DeadLettered;

    private static string[] Create<T>() where T : struct, Enum
    {
        T[] values = Enum.GetValues<T>();
        return [.. values.Select(static value => ToSnakeCase(value.ToString()))];
    }

    private static string ToSnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 8);
        foreach (char letter in name)
        {
            if (char.IsAsciiLetterUpper(letter) && text.Length > 0)
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(letter));
        }

        return text.ToString();
    }
}
