namespace ResumableUploads.Protocols.StructuredFields;

/// <summary>What kind of value it is (RFC 9651, section 3.3). What none of our fields has is told as one kind.</summary>
internal enum SfKind
{
    Integer,
    Boolean,
    ByteSequence,

    /// <summary>A decimal, string, token, date, display string or inner list: legal, and not for us.</summary>
    Other,
}

/// <summary>A bare item.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Number">Its value, for an integer; 1 or 0 for a boolean.</param>
/// <param name="Bytes">Its value, for a byte sequence.</param>
internal readonly record struct SfValue(SfKind Kind, long Number = 0, byte[]? Bytes = null)
{
    public static readonly SfValue True = new(SfKind.Boolean, 1);
    public static readonly SfValue Other = new(SfKind.Other);
}
