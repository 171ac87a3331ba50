namespace ResumableUploads.UnitTests.Repository.Language;

/// <summary>Where a text is in the source.</summary>
[Flags]
public enum TextKind
{
    None = 0,

    /// <summary>A comment or a doc comment.</summary>
    Comment = 1,

    /// <summary>A string literal: log and exception messages, titles and details of problems.</summary>
    Literal = 2,

    /// <summary>The name of a type or member, split into words.</summary>
    Name = 4,

    /// <summary>The name of a parameter or a local variable, split into words.</summary>
    LocalName = 8,

    /// <summary>Prose of a document or a page.</summary>
    Prose = 16,
}
