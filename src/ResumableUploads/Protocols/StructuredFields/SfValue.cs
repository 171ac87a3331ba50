namespace ResumableUploads.Protocols.StructuredFields;

/// <summary>The type of a value (<see href="https://www.rfc-editor.org/rfc/rfc9651#section-3.3">RFC 9651, section 3.3</see>).</summary>
internal enum SfKind
{
    Integer,
    Boolean,
    ByteSequence,

    /// <summary>A type that no field of the supported protocols has: Decimal, String, Token, Date, Display String or Inner List.</summary>
    Other,
}

/// <summary>A value of a structured field.</summary>
/// <param name="Kind">The type of the value.</param>
/// <param name="Number">The value of an Integer, or 1 (true) or 0 (false) for a Boolean.</param>
/// <param name="Bytes">The value of a Byte Sequence.</param>
internal readonly record struct SfValue(SfKind Kind, long Number = 0, byte[]? Bytes = null)
{
    public static readonly SfValue True = new(SfKind.Boolean, 1);
    public static readonly SfValue Other = new(SfKind.Other);
}
